using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Http.Door;

public sealed class DoorTests(SharedPostgres postgres, VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static readonly object WrongLogin = new { email = "nobody@example.org", password = "not the password" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health/live", 200)]
    [InlineData("/login", 200)]
    [InlineData("/api/me", 401)]
    [InlineData("/nowhere", 404)]
    [InlineData("/v1/models", 401)]
    [InlineData("/openapi/v1.json", 200)]
    public async Task Every_answer_has_the_headers_that_protect_browsers(string path, int status)
    {
        using var anyone = host.AsAnyone();

        using var response = await anyone.GetAsync(path, Cancellation);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("nosniff", HeaderOf(response, "x-content-type-options"));
        Assert.Equal("DENY", HeaderOf(response, "x-frame-options"));
        Assert.Equal("no-referrer", HeaderOf(response, "referrer-policy"));
        Assert.Contains(
            "frame-ancestors 'none'",
            HeaderOf(response, "content-security-policy"),
            StringComparison.Ordinal
        );
        Assert.Contains("camera=()", HeaderOf(response, "permissions-policy"), StringComparison.Ordinal);
        Assert.Null(HeaderOf(response, "strict-transport-security"));
        Assert.Null(HeaderOf(response, "server"));
    }

    [Fact]
    public async Task Pages_allow_nothing_but_their_own_style_and_forms()
    {
        using var anyone = host.AsAnyone();

        using var response = await anyone.GetAsync("/login", Cancellation);

        Assert.Equal(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
            HeaderOf(response, "content-security-policy")
        );
        Assert.Equal("no-store", HeaderOf(response, "cache-control"));
    }

    [Fact]
    public async Task What_the_api_answers_is_not_stored_by_anybody()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var me = await administrator.GetAsync("/api/me", Cancellation);

        Assert.Equal("no-store", HeaderOf(me, "cache-control"));
    }

    [Fact]
    public async Task Without_trusted_proxies_nobody_says_where_they_come_from()
    {
        using var anyone = host.AsAnyone();
        anyone.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        anyone.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");

        var address = await AddressOfLoginAsync(host, anyone);
        using var page = await anyone.GetAsync("/login", Cancellation);

        Assert.Equal("127.0.0.1", address);
        Assert.DoesNotContain("secure", HeaderOf(page, "set-cookie"), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    // What the client wrote itself stands to the left of what the proxy has seen.
    [InlineData("198.51.100.1, 203.0.113.7", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7, 127.0.0.9", "203.0.113.7")]
    [InlineData("nonsense", "127.0.0.1")]
    public async Task A_trusted_proxy_is_believed_and_what_the_client_wrote_is_not(string forwarded, string expected)
    {
        await using var behind = await StartAsync(("Http:TrustedProxies", "127.0.0.0/8, ::1"));
        using var anyone = behind.AsAnyone();
        anyone.DefaultRequestHeaders.Add("X-Forwarded-For", forwarded);

        Assert.Equal(expected, await AddressOfLoginAsync(behind, anyone));
    }

    [Fact]
    public async Task Behind_a_proxy_with_https_cookies_are_secure_and_browsers_are_told_to_stay()
    {
        await using var behind = await StartAsync(
            ("Http:TrustedProxies", "127.0.0.1"),
            ("Http:HstsSeconds", "31536000")
        );
        using var anyone = behind.AsAnyone();
        using var plain = await anyone.GetAsync("/login", Cancellation);
        anyone.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        anyone.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");

        using var page = await anyone.GetAsync("/login", Cancellation);

        Assert.StartsWith("__Host-", HeaderOf(page, "set-cookie"), StringComparison.Ordinal);
        Assert.Contains("secure", HeaderOf(page, "set-cookie"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("max-age=31536000", HeaderOf(page, "strict-transport-security"));
        Assert.Null(HeaderOf(plain, "strict-transport-security"));
    }

    [Fact]
    public async Task A_configured_origin_may_call_and_no_other()
    {
        await using var open = await StartAsync(("Http:Cors:Origins:0", "https://app.example.org"));

        using var allowed = await PreflightAsync(open, "https://app.example.org");
        using var refused = await PreflightAsync(open, "https://app.example.org.evil.example");
        using var closed = await PreflightAsync(host, "https://app.example.org");

        Assert.Equal("https://app.example.org", HeaderOf(allowed, "access-control-allow-origin"));
        Assert.Contains("POST", HeaderOf(allowed, "access-control-allow-methods"), StringComparison.Ordinal);
        Assert.Null(HeaderOf(allowed, "access-control-allow-credentials"));
        Assert.Null(HeaderOf(refused, "access-control-allow-origin"));
        Assert.Null(HeaderOf(closed, "access-control-allow-origin"));
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused()
    {
        await using var small = await StartAsync(("Http:MaxRequestBytes", "2048"));
        using var anyone = small.AsAnyone();

        using var refused = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = "nobody@example.org", password = new string('x', 5000) },
            Cancellation
        );

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        Assert.Equal("body-too-large", (await ReadAsync(refused))["code"]!.GetValue<string>());
        Assert.Equal("nosniff", HeaderOf(refused, "x-content-type-options"));
    }

    [Fact]
    public async Task More_logins_than_the_limit_are_refused_for_one_address_and_not_for_others()
    {
        await using var limited = await StartAsync(
            ("Http:RateLimits:Logins", "3"),
            ("Http:TrustedProxies", "127.0.0.1")
        );
        using var one = limited.AsAnyone();
        one.DefaultRequestHeaders.Add("X-Forwarded-For", "2001:db8::1");
        using var sameNetwork = limited.AsAnyone();
        sameNetwork.DefaultRequestHeaders.Add("X-Forwarded-For", "2001:db8::ffff");
        using var another = limited.AsAnyone();
        another.DefaultRequestHeaders.Add("X-Forwarded-For", "2001:db8:0:1::1");
        for (var i = 0; i < 3; i++)
        {
            using var failed = await one.PostAsJsonAsync("/api/auth/login", WrongLogin, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, failed.StatusCode);
        }

        using var refused = await sameNetwork.PostAsJsonAsync("/api/auth/login", WrongLogin, Cancellation);
        using var taken = await another.PostAsJsonAsync("/api/auth/login", WrongLogin, Cancellation);
        using var elsewhere = await one.GetAsync("/health/live", Cancellation);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("too-many-requests", (await ReadAsync(refused))["code"]!.GetValue<string>());
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal(HttpStatusCode.Unauthorized, taken.StatusCode);
        Assert.Equal(HttpStatusCode.OK, elsewhere.StatusCode);
    }

    [Fact]
    public async Task Kestrel_serves_https_with_a_certificate_from_the_settings()
    {
        using var folder = new TemporaryHome();
        Directory.CreateDirectory(folder.Path);
        var (certificate, key) = (Path.Combine(folder.Path, "cert.pem"), Path.Combine(folder.Path, "key.pem"));
        WriteCertificate(certificate, key);
        var port = FreePort();
        await using var secure = await StartAsync(
            ("Kestrel:Endpoints:Https:Url", $"https://127.0.0.1:{port}"),
            ("Kestrel:Endpoints:Https:Certificate:Path", certificate),
            ("Kestrel:Endpoints:Https:Certificate:KeyPath", key),
            ("Http:HstsSeconds", "600")
        );
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) =>
            presented?.GetCertHashString()
            == X509CertificateLoader.LoadCertificateFromFile(certificate).GetCertHashString();
        using var client = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{port}") };

        using var page = await client.GetAsync("/login", Cancellation);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("max-age=600", HeaderOf(page, "strict-transport-security"));
        Assert.Contains("secure", HeaderOf(page, "set-cookie"), StringComparison.OrdinalIgnoreCase);
    }

    private async Task<VerbatimHost> StartAsync(params (string Name, string Value)[] settings) =>
        await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            settings.ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal)
        );

    // A login of the administrator is on record with the address that the server has seen.
    private static async Task<string> AddressOfLoginAsync(VerbatimHost host, HttpClient anyone)
    {
        using var response = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = VerbatimHost.AdministratorEmail, password = VerbatimHost.AdministratorPassword },
            Cancellation
        );
        var login = await ReadAsync(response);
        using var own = host.As(login["accessToken"]!.GetValue<string>());
        var read = await own.GetFromJsonAsync<JsonNode>($"/api/logins/{login["loginId"]}", Cancellation);
        return read!["address"]!.GetValue<string>();
    }

    private static async Task<HttpResponseMessage> PreflightAsync(VerbatimHost host, string origin)
    {
        using var anyone = host.AsAnyone();
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/auth/login");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type");
        return await anyone.SendAsync(request, Cancellation);
    }

    private static void WriteCertificate(string certificateFile, string keyFile)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem(), Encoding.ASCII);
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem(), Encoding.ASCII);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;

    private static string? HeaderOf(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
