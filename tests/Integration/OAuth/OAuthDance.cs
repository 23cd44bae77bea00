using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.OAuth;

/// <summary>A client, a person at a browser, and the steps between them.</summary>
internal sealed partial class OAuthDance : IDisposable
{
    public const string RedirectUri = "https://app.example.com/callback";
    public const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private readonly VerbatimHost _host;

    private OAuthDance(VerbatimHost host, HttpClient browser, string clientId, string? secret)
    {
        _host = host;
        Browser = browser;
        ClientId = clientId;
        Secret = secret;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Has the person's cookie, and follows nothing.</summary>
    public HttpClient Browser { get; }

    public string ClientId { get; }

    public string? Secret { get; }

    public static string Challenge { get; } =
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Registers a client and logs the administrator in by cookie.</summary>
    public static async Task<OAuthDance> StartAsync(VerbatimHost host, object? changes = null)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        return await StartAsync(host, administrator, changes);
    }

    /// <summary>Registers a client of an administrator's organization, and logs the first administrator in by cookie.</summary>
    public static async Task<OAuthDance> StartAsync(VerbatimHost host, HttpClient administrator, object? changes = null)
    {
        var request = new JsonObject
        {
            ["name"] = "The intranet",
            ["scopes"] = new JsonArray("openid", "email", "profile", "account:read", "models:read"),
            ["redirectUris"] = new JsonArray(RedirectUri, "http://127.0.0.1/callback"),
            ["postLogoutRedirectUris"] = new JsonArray("https://app.example.com/bye"),
        };
        foreach (
            var (name, value) in JsonNode
                .Parse(System.Text.Json.JsonSerializer.Serialize(changes ?? new { }))!
                .AsObject()
        )
            request[name] = value?.DeepClone();
        var created = await administrator.PostJsonAsync("/api/oauth-clients", request);
        return new OAuthDance(
            host,
            await LogInAsync(host),
            created["client"]!["id"]!.GetValue<string>(),
            created["secret"]?.GetValue<string>()
        );
    }

    /// <summary>A client of the administrator's in a new organization.</summary>
    public static async Task<HttpClient> EnterNewOrganizationAsync(VerbatimHost host)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Another organization" });
        var entered = await administrator.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = made["id"]!.GetValue<Guid>() },
            HttpStatusCode.OK
        );
        return host.As(entered["accessToken"]!.GetValue<string>());
    }

    /// <summary>A browser with the administrator's cookie.</summary>
    public static async Task<HttpClient> LogInAsync(VerbatimHost host)
    {
        var browser = host.AsAnyone();
        using var login = await browser.PostAsJsonAsync(
            "/api/auth/login",
            new
            {
                email = VerbatimHost.AdministratorEmail,
                password = VerbatimHost.AdministratorPassword,
                cookie = true,
            },
            Cancellation
        );
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        browser.DefaultRequestHeaders.Add("Cookie", login.Headers.GetValues("Set-Cookie").First().Split(';')[0]);
        return browser;
    }

    /// <summary>The address that the client sends the person to; a null takes a parameter away.</summary>
    public string AuthorizeUrl(params IReadOnlyList<(string Name, string? Value)> changes)
    {
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["client_id"] = ClientId,
            ["redirect_uri"] = RedirectUri,
            ["response_type"] = "code",
            ["scope"] = "openid email profile account:read",
            ["state"] = "the state&=",
            ["nonce"] = "n-0S6_WzA2Mj",
            ["code_challenge"] = Challenge,
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
            parameters[name] = value;
        return QueryHelpers.AddQueryString("/oauth/authorize", parameters.Where(p => p.Value is not null));
    }

    public Task<HttpResponseMessage> AuthorizeAsync(params IReadOnlyList<(string Name, string? Value)> changes) =>
        Browser.GetAsync(new Uri(AuthorizeUrl(changes), UriKind.Relative), Cancellation);

    /// <summary>Answers a consent page.</summary>
    public async Task<HttpResponseMessage> AnswerAsync(HttpResponseMessage page, string answer)
    {
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var html = await page.Content.ReadAsStringAsync(Cancellation);
        var fields = HiddenField()
            .Matches(html)
            .Select(m => KeyValuePair.Create(m.Groups["name"].Value, WebUtility.HtmlDecode(m.Groups["value"].Value)))
            .Append(KeyValuePair.Create("answer", answer));
        using var form = new FormUrlEncodedContent(fields);
        return await Browser.PostAsync(new Uri("/oauth/consent", UriKind.Relative), form, Cancellation);
    }

    /// <summary>A code, after consent where it is asked for.</summary>
    public async Task<string> CodeAsync(params IReadOnlyList<(string Name, string? Value)> changes)
    {
        using var first = await AuthorizeAsync(changes);
        if (first.StatusCode != HttpStatusCode.OK)
            return Parameters(first)["code"];
        using var agreed = await AnswerAsync(first, "allow");
        return Parameters(agreed)["code"];
    }

    /// <summary>What a redirect carries.</summary>
    public static Dictionary<string, string> Parameters(HttpResponseMessage redirect)
    {
        Assert.Equal(HttpStatusCode.SeeOther, redirect.StatusCode);
        return QueryHelpers
            .ParseQuery(redirect.Headers.Location!.Query)
            .ToDictionary(p => p.Key, p => p.Value.ToString(), StringComparer.Ordinal);
    }

    /// <summary>Posts a form to an endpoint, with the client's own proof unless told otherwise.</summary>
    public async Task<(HttpResponseMessage Response, JsonObject Body)> PostAsync(
        string path,
        IEnumerable<(string Name, string Value)> form,
        bool isBasic = true
    )
    {
        using var client = _host.AsAnyone();
        if (isBasic && Secret is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Secret}"))
            );
        var fields = form.Select(f => KeyValuePair.Create(f.Name, f.Value)).ToList();
        if (Secret is null)
            fields.Add(KeyValuePair.Create("client_id", ClientId));
        using var content = new FormUrlEncodedContent(fields);
        var response = await client.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        return (response, text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject());
    }

    public Task<(HttpResponseMessage Response, JsonObject Body)> ExchangeAsync(
        string code,
        string verifier = Verifier,
        string redirectUri = RedirectUri
    ) =>
        PostAsync(
            "/oauth/token",
            [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirectUri),
                ("code_verifier", verifier),
            ]
        );

    /// <summary>Asserts an error of RFC 6749 §5.2 and its headers.</summary>
    public static void AssertError(
        (HttpResponseMessage Response, JsonObject Body) answer,
        string code,
        HttpStatusCode status = HttpStatusCode.BadRequest
    )
    {
        Assert.Equal((status, code), (answer.Response.StatusCode, answer.Body["error"]!.GetValue<string>()));
        Assert.Equal("no-store", answer.Response.Headers.CacheControl!.ToString());
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            status == HttpStatusCode.Unauthorized,
            answer.Response.Headers.WwwAuthenticate.Any(w => w.Scheme == "Basic")
        );
        // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
        Assert.DoesNotMatch(@"[^\x20-\x21\x23-\x5B\x5D-\x7E]", answer.Body["error_description"]!.GetValue<string>());
    }

    public async Task<HttpStatusCode> StatusOfMeAsync(string token)
    {
        using var client = _host.As(token);
        using var response = await client.GetAsync(new Uri("/api/me", UriKind.Relative), Cancellation);
        return response.StatusCode;
    }

    public void Dispose() => Browser.Dispose();

    [GeneratedRegex(
        "<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex HiddenField();
}
