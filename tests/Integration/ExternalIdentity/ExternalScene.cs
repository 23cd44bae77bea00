using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.ExternalIdentity;

/// <summary>A Host with one provider, and browsers.</summary>
internal sealed class ExternalScene : IAsyncDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ExternalScene(VerbatimHost host, NodeIssuer issuer, string providerId)
    {
        Host = host;
        Issuer = issuer;
        ProviderId = providerId;
    }

    public VerbatimHost Host { get; private set; }

    public NodeIssuer Issuer { get; }

    public string ProviderId { get; }

    public string LoginPath => $"/login/external/{ProviderId}?returnTo=%2Fhealth%2Flive";

    public static async Task<ExternalScene> StartAsync(SharedPostgres postgres, object settings)
    {
        var host = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation), Settings);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        // The provider must know where people come back to, which has the id of what is registered here in it.
        var body = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(settings))!.AsObject();
        body["name"] = "Another issuer";
        body["issuer"] = "https://later.example.com";
        body["clientId"] = NodeIssuer.ClientId;
        body["clientSecret"] = NodeIssuer.ClientSecret;
        var probe = await administrator.PostJsonAsync("/api/identity-providers", body);
        var issuer = await NodeIssuer.StartAsync(Callback(probe["id"]!.GetValue<string>()));
        await RenameAsync(host, probe["id"]!.GetValue<string>(), issuer.Issuer);
        return new ExternalScene(host, issuer, probe["id"]!.GetValue<string>());
    }

    /// <summary>Somebody at the provider.</summary>
    public static object Account(string sub, string email, string? group = null, bool isVerified = true) =>
        new
        {
            sub,
            email,
            email_verified = isVerified,
            groups = group is null ? Array.Empty<string>() : [group],
        };

    public async Task RestartAsync()
    {
        var database = Host.ConnectionString;
        await Host.DisposeAsync();
        Host = await VerbatimHost.StartAsync(database, Settings);
    }

    public HttpClient NewBrowser() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() })
        {
            BaseAddress = Host.Address,
        };

    /// <summary>To the provider and back, to the address of the answer.</summary>
    public async Task<string> WalkAsync(HttpClient browser)
    {
        var address = new Uri(Host.Address, LoginPath);
        for (var step = 0; step < 10; step++)
        {
            using var response = await browser.GetAsync(address, Cancellation);
            Assert.True(
                response.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Found,
                $"{address}: {response.StatusCode} {await response.Content.ReadAsStringAsync(Cancellation)}"
            );
            var next = response.Headers.Location!;
            address = next.IsAbsoluteUri ? next : new Uri(address, next);
            if (address.AbsolutePath.EndsWith("/callback", StringComparison.Ordinal))
                return new Uri(Host.Address, address.PathAndQuery).ToString();
        }
        throw new InvalidOperationException("The provider sends the browser round in circles.");
    }

    public async Task<HttpStatusCode> TryLogInAsync()
    {
        using var browser = NewBrowser();
        using var response = await browser.GetAsync(await WalkAsync(browser), Cancellation);
        return response.StatusCode;
    }

    /// <summary>Logs in, and tells as whom.</summary>
    public async Task<JsonNode> LogInAsync()
    {
        using var browser = NewBrowser();
        using var response = await browser.GetAsync(await WalkAsync(browser), Cancellation);
        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal("/health/live", response.Headers.Location!.ToString());
        return await browser.GetJsonAsync("/api/me");
    }

    public async ValueTask DisposeAsync()
    {
        await Issuer.DisposeAsync();
        await Host.DisposeAsync();
    }

    // A name that stays when the port changes.
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["Identity:Issuer"] = "http://127.0.0.1:1",
    };

    private static string Callback(string id) => $"http://127.0.0.1:1/login/external/{id}/callback";

    private static async Task RenameAsync(VerbatimHost host, string id, string issuer)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        await administrator.PatchJsonAsync($"/api/identity-providers/{id}", new { issuer });
    }
}
