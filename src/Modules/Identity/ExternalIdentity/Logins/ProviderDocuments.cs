using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>A provider does not answer, or not as a provider should. The message is for the log.</summary>
internal sealed class ProviderException : Exception
{
    public ProviderException(string message)
        : base(message) { }

    public ProviderException(string message, Exception inner)
        : base(message, inner) { }
}

/// <summary>What a provider says of itself (OpenID Connect Discovery 1.0 §3).</summary>
internal sealed record DiscoveredProvider(
    string Issuer,
    string AuthorizationEndpoint,
    string TokenEndpoint,
    string? UserinfoEndpoint,
    string JwksUri,
    bool TakesBasic,
    bool SendsIssuer
);

/// <summary>
/// Fetches what providers publish and answer: over TLS or on this machine alone, no redirects, within a few seconds and a quarter of a
/// megabyte. What they publish is kept for a while; an unknown key has the keys fetched again, at most once in half a minute.
/// </summary>
[Singleton]
internal sealed class ProviderDocuments(TimeProvider time) : IDisposable
{
    private const int MaxBytes = 256 * 1024;
    private const int MaxProviders = 1000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MetadataAge = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeysAge = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeysPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FailurePause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, (DiscoveredProvider Provider, DateTimeOffset ReadAt)> _metadata = new(
        StringComparer.Ordinal
    );
    private readonly ConcurrentDictionary<string, KeyFetch> _keys = new(StringComparer.Ordinal);

    // The last fetch for the sake of a key that was not known. Whoever sends tokens with such keys waits for it, and causes no other for a while.
    private readonly ConcurrentDictionary<string, KeyFetch> _searches = new(StringComparer.Ordinal);

    // Whoever sends tokens of a provider that is away must not have this server call it again and again.
    private readonly ConcurrentDictionary<string, DateTimeOffset> _failures = new(StringComparer.Ordinal);

    private readonly HttpClient _client = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 32,
        }
    )
    {
        Timeout = Timeout,
        MaxResponseContentBufferSize = MaxBytes,
    };

    /// <summary>The metadata of an issuer.</summary>
    /// <exception cref="ProviderException">It cannot be had, or is another issuer's.</exception>
    public async Task<DiscoveredProvider> DiscoverAsync(string issuer, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (_metadata.TryGetValue(issuer, out var known) && now - known.ReadAt < MetadataAge)
            return known.Provider;
        var body = await GetAsync(
            issuer.TrimEnd('/') + "/.well-known/openid-configuration",
            bearer: null,
            cancellationToken
        );
        using var json = Parse(body);
        var root = json.RootElement;
        // OpenID Connect Discovery 1.0 §4.3: exactly the issuer that was asked.
        if (TextOf(root, "issuer") != issuer)
            throw new ProviderException("The metadata names another issuer.");
        var methods = TextsOf(root, "token_endpoint_auth_methods_supported");
        var provider = new DiscoveredProvider(
            issuer,
            AddressOf(root, "authorization_endpoint"),
            AddressOf(root, "token_endpoint"),
            TextOf(root, "userinfo_endpoint") is null ? null : AddressOf(root, "userinfo_endpoint"),
            AddressOf(root, "jwks_uri"),
            // The default of RFC 8414 §2.
            methods.Count == 0
                || methods.Contains("client_secret_basic", StringComparer.Ordinal),
            root.TryGetProperty("authorization_response_iss_parameter_supported", out var sends)
                && sends.ValueKind == JsonValueKind.True
        );
        if (_metadata.Count >= MaxProviders)
            _metadata.Clear();
        _metadata[issuer] = (provider, now);
        return provider;
    }

    /// <summary>Verifies a token with the provider's keys.</summary>
    /// <returns>The payload, or null when the token is not the provider's.</returns>
    /// <exception cref="ProviderException">The keys cannot be had.</exception>
    public async Task<byte[]?> VerifyAsync(
        DiscoveredProvider provider,
        string token,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var address = provider.JwksUri;
        var first = new KeyFetch(this, address, now);
        var known = _keys.AddOrUpdate(address, first, (_, before) => before.IsOverAt(now) ? first : before);
        var keys = await known.ReadAsync(cancellationToken);
        if (Jws.TryVerify(token, keys, type: null, out var payload, out var failure))
            return payload;
        if (failure != TokenFailure.UnknownKey || known == first)
            return null;
        // The provider may have a new key since we looked.
        var next = new KeyFetch(this, address, now);
        var search = _searches.AddOrUpdate(address, next, (_, before) => before.IsPausingAt(now) ? before : next);
        if (search == known)
            return null;
        keys = await search.ReadAsync(cancellationToken);
        // Only now: one that fails must not take away what is known.
        if (search == next)
            _keys[address] = search;
        return Jws.TryVerify(token, keys, type: null, out payload, out _) ? payload : null;
    }

    /// <summary>Exchanges a code (RFC 6749 §4.1.3).</summary>
    /// <exception cref="ProviderException">The provider refuses, or does not answer as it should.</exception>
    public async Task<(string IdToken, string? AccessToken)> ExchangeAsync(
        DiscoveredProvider provider,
        string clientId,
        string secret,
        string code,
        string redirectUri,
        string verifier,
        CancellationToken cancellationToken
    )
    {
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"),
            new("code", code),
            new("redirect_uri", redirectUri),
            new("code_verifier", verifier),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.TokenEndpoint);
        if (provider.TakesBasic)
        {
            var pair = $"{Uri.EscapeDataString(clientId)}:{Uri.EscapeDataString(secret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes(pair))
            );
        }
        else
        {
            form.Add(new("client_id", clientId));
            form.Add(new("client_secret", secret));
        }
        request.Content = new FormUrlEncodedContent(form);
        using var json = Parse(await SendAsync(request, cancellationToken));
        return (
            TextOf(json.RootElement, "id_token") ?? throw new ProviderException("There is no ID token in the answer."),
            TextOf(json.RootElement, "access_token")
        );
    }

    /// <summary>The claims of the userinfo endpoint (OpenID Connect Core 1.0 §5.3).</summary>
    /// <exception cref="ProviderException">They cannot be had.</exception>
    public async Task<JsonDocument> ReadUserinfoAsync(
        string endpoint,
        string accessToken,
        CancellationToken cancellationToken
    ) => Parse(await GetAsync(endpoint, accessToken, cancellationToken));

    public void Dispose() => _client.Dispose();

    private async Task<JsonWebKeySet> ReadKeysAsync(string address)
    {
        if (_keys.Count > MaxProviders)
            _keys.Clear();
        if (_searches.Count > MaxProviders)
            _searches.Clear();
        // For all who wait for it, so none of them can end it; the client's timeout does.
        var body = await GetAsync(address, bearer: null, CancellationToken.None);
        return JsonWebKeySet.TryParse(body, out var keys, out var failure)
            ? keys
            : throw new ProviderException($"The keys cannot be used ({failure}).");
    }

    private async Task<byte[]> GetAsync(string address, string? bearer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (bearer is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (_failures.TryGetValue(address, out var failedAt) && time.GetUtcNow() - failedAt < FailurePause)
            throw new ProviderException("The provider did not answer a moment ago.");
        try
        {
            return await SendAsync(request, cancellationToken);
        }
        catch (ProviderException)
        {
            if (_failures.Count >= MaxProviders)
                _failures.Clear();
            _failures[address] = time.GetUtcNow();
            throw;
        }
    }

    private async Task<byte[]> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!ProviderRules.IsFetchable(request.RequestUri!.ToString()))
            throw new ProviderException("The address is neither https nor on this machine.");
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new ProviderException($"The provider answers {(int)response.StatusCode}.");
            return await response.Content.ReadAsByteArrayAsync(cancellationToken);
        }
        catch (Exception e)
            when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new ProviderException("The provider cannot be reached, or its answer is too large.", e);
        }
    }

    private static JsonDocument Parse(byte[] body)
    {
        if (!IsUnicode(body))
            throw new ProviderException("The answer is no JSON, or has texts that are no Unicode.");
        try
        {
            var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? json
                : throw new ProviderException("The answer is no JSON object.");
        }
        catch (JsonException e)
        {
            throw new ProviderException("The answer is no JSON.", e);
        }
    }

    // Half of a surrogate pair in an escape is JSON by its grammar, and thrown about by whoever reads the text or looks for a name.
    private static bool IsUnicode(byte[] body)
    {
        if (!Utf8.IsValid(body))
            return false;
        try
        {
            var reader = new Utf8JsonReader(body, StrictJson.Options);
            while (reader.Read())
            {
                if (reader is { ValueIsEscaped: true, TokenType: JsonTokenType.PropertyName or JsonTokenType.String })
                    _ = reader.GetString();
            }
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static string AddressOf(JsonElement root, string name) =>
        TextOf(root, name) is { } address && ProviderRules.IsFetchable(address)
            ? address
            : throw new ProviderException($"The metadata has no usable {name}.");

    private static string? TextOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static List<string> TextsOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!)]
            : [];

    /// <summary>A provider's keys, fetched once for all who ask at the same time.</summary>
    private sealed class KeyFetch(ProviderDocuments documents, string address, DateTimeOffset at)
    {
        private readonly Lazy<Task<JsonWebKeySet>> _keys = new(() => documents.ReadKeysAsync(address));

        public Task<JsonWebKeySet> ReadAsync(CancellationToken cancellationToken) =>
            _keys.Value.WaitAsync(cancellationToken);

        public bool IsOverAt(DateTimeOffset now) => now - at >= (HasFailed ? FailurePause : KeysAge);

        public bool IsPausingAt(DateTimeOffset now) => now - at < KeysPause;

        private bool HasFailed => _keys is { IsValueCreated: true, Value.IsFaulted: true };
    }
}
