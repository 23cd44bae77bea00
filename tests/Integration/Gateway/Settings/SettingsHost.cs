using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway.Settings;

/// <summary>A Host without any provider, a fake one to register, and an administrator.</summary>
public sealed class SettingsHost(SharedPostgres postgres) : IAsyncLifetime
{
    public const string Credential = "sk-settings-0123456789abcdef";

    private VerbatimHost? _host;
    private FakeProvider? _provider;
    private HttpClient? _administrator;

    public VerbatimHost Host => _host!;

    public FakeProvider Provider => _provider!;

    /// <summary>Of the organization that runs the installation.</summary>
    public HttpClient Administrator => _administrator!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await FakeProvider.StartAsync();
        _host = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Gateway:OllamaUrl"] = "" }
        );
        _administrator = await _host.AsAdministratorAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _administrator?.Dispose();
        if (_host is not null)
            await _host.DisposeAsync();
        if (_provider is not null)
            await _provider.DisposeAsync();
    }

    /// <summary>The administrator of a new organization.</summary>
    public async Task<HttpClient> AsNewOrganizationAsync() => (await NewOrganizationAsync()).Client;

    public async Task<(Guid Id, HttpClient Client)> NewOrganizationAsync()
    {
        var made = await Administrator.PostJsonAsync("/api/organizations", new { name = "Another" });
        var id = made["id"]!.GetValue<Guid>();
        var entered = await Administrator.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = id },
            HttpStatusCode.OK
        );
        return (id, Host.As(entered["accessToken"]!.GetValue<string>()));
    }

    /// <summary>Registers the fake provider; returns its id.</summary>
    public async Task<Guid> RegisterAsync(HttpClient client, string? name = null, string kind = "openai-compatible")
    {
        var made = await client.PostJsonAsync(
            "/api/providers",
            new
            {
                name = name ?? Fresh("provider"),
                kind,
                baseUrl = Provider.BaseAddress.ToString(),
                apiKey = Credential,
            }
        );
        return made["id"]!.GetValue<Guid>();
    }

    /// <summary>Makes a deployment of a model name at a provider; returns its id.</summary>
    public static async Task<Guid> DeployAsync(
        HttpClient client,
        Guid providerId,
        string model,
        string? upstreamModel = null,
        object? visibility = null
    )
    {
        var made = await client.PostJsonAsync(
            "/api/deployments",
            new
            {
                name = Fresh("deployment"),
                providerId,
                model,
                upstreamModel,
                visibility = visibility ?? new { audience = "ownOrganization" },
            }
        );
        return made["id"]!.GetValue<Guid>();
    }

    public static string Fresh(string word) => $"{word}-{Guid.NewGuid():N}";

    /// <summary>Asks a model; returns the status, and the inference.</summary>
    public static async Task<(HttpStatusCode Status, Guid? Inference, string Text)> AskAsync(
        HttpClient client,
        string model
    )
    {
        using var content = new StringContent(
            $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}]}""",
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await client.PostAsync("/v1/chat/completions", content, Cancellation);
        Guid? inference = answer.Headers.TryGetValues(GatewayHost.InferenceIdHeader, out var ids)
            ? Guid.Parse(ids.Single())
            : null;
        return (answer.StatusCode, inference, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    /// <summary>The names that a caller can ask, as OpenAI's wire lists them.</summary>
    public static async Task<IReadOnlyList<string>> ModelsAsync(HttpClient client) =>
        [.. (await client.GetJsonAsync("/v1/models"))["data"]!.AsArray().Select(m => m!["id"]!.GetValue<string>())];

    /// <summary>The state of an inference, as an auditor reads it.</summary>
    public static async Task<JsonNode> StateOfAsync(HttpClient client, Guid inference) =>
        (await client.GetJsonAsync($"/api/audit/streams/{inference}/state"))["state"]!;
}
