using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Evidence.Anchors;

/// <summary>
/// Posts each checkpoint, as the signed note that it is, to an address. Any 2xx says that it was taken. Redirects are not followed: the
/// credential is for this address.
/// </summary>
internal sealed class WebhookAnchor : IAnchorTarget, IDisposable
{
    private const string UrlSetting = "Evidence:Anchor:Webhook";
    private const string TokenSetting = "Evidence:Anchor:WebhookToken";
    private const string SecretSetting = "Evidence:Anchor:WebhookSecret";
    private const int MinSecretLength = 16;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = Timeout * 6,
        }
    )
    {
        Timeout = Timeout,
    };

    private readonly Uri _address;
    private readonly string? _token;
    private readonly byte[]? _secret;

    private WebhookAnchor(Uri address, string? token, string? secret)
    {
        _address = address;
        _token = token;
        _secret = secret is null ? null : Encoding.UTF8.GetBytes(secret);
        Id = $"webhook:{AnchorTargets.Digest(address.AbsoluteUri)}";
        // The path and the query may be secrets, as those of chat services are.
        Name = $"the webhook at {address.GetLeftPart(UriPartial.Authority)}";
    }

    public string Id { get; }

    public string Name { get; }

    /// <summary>The webhook of the settings; null when none is set.</summary>
    /// <exception cref="SettingException">A setting is wrong.</exception>
    public static WebhookAnchor? Read(IConfiguration configuration)
    {
        var token = AnchorTargets.Read(configuration, TokenSetting);
        var secret = AnchorTargets.Read(configuration, SecretSetting);
        if (AnchorTargets.Read(configuration, UrlSetting) is not { } url)
            return token is null && secret is null
                ? null
                : throw new SettingException(
                    $"{(token is null ? SecretSetting : TokenSetting)} is set and {UrlSetting} is not; set the address that it is for, or neither."
                );
        if (
            !Uri.TryCreate(url, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp)
            || address.UserInfo.Length > 0
        )
            throw new SettingException(
                $"{UrlSetting} is '{url}'; valid is an address like https://example.com/checkpoints, without a user name in it."
            );
        if (token is not null && token.Any(c => c is <= ' ' or > '~'))
            throw new SettingException(
                $"{TokenSetting} has characters that a header cannot carry; valid is printable ASCII without spaces."
            );
        if (secret is { Length: < MinSecretLength })
            throw new SettingException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{SecretSetting} has {secret.Length} characters; valid are {MinSecretLength} or more."
                )
            );
        return new WebhookAnchor(address, token, secret);
    }

    public async Task TakeAsync(StoredCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        var note = Encoding.UTF8.GetBytes(checkpoint.Note);
        using var request = new HttpRequestMessage(HttpMethod.Post, _address);
        request.Content = new ByteArrayContent(note);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain", "utf-8");
        request.Headers.Add("x-verbatim-tree-size", checkpoint.TreeSize.ToString(CultureInfo.InvariantCulture));
        if (_token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        if (_secret is not null)
            request.Headers.Add(
                "x-verbatim-signature",
                $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(_secret, note))}"
            );
        // What it says besides is of no interest, however long it is.
        using var response = await _client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException(
                string.Create(CultureInfo.InvariantCulture, $"It answered {(int)response.StatusCode} instead of 2xx.")
            );
    }

    public void Dispose() => _client.Dispose();
}
