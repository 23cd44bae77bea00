using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway.ChatClients;

/// <summary>A Host whose models <c>gpt-*</c> speak OpenAI's wire and whose models <c>claude-*</c> speak Anthropic's, both at a fake provider.</summary>
public sealed class ModelClientHost(SharedPostgres postgres) : IAsyncLifetime
{
    private VerbatimHost? _host;
    private FakeProvider? _provider;

    public FakeProvider Provider => _provider!;

    public VerbatimHost Host => _host!;

    /// <summary>In whose name the tests ask.</summary>
    public Guid User { get; } = Guid.CreateVersion7();

    public Guid Tenant { get; } = Guid.CreateVersion7();

    private Dictionary<string, string> Settings =>
        new(StringComparer.Ordinal)
        {
            ["Gateway:Deployments:fake:BaseUrl"] = Provider.BaseAddress.ToString(),
            ["Gateway:Deployments:fake:Model"] = "gpt-*",
            ["Gateway:Deployments:failing:BaseUrl"] = Provider.BaseAddress.ToString(),
            ["Gateway:Deployments:failing:Model"] = "failing*",
            ["Gateway:Deployments:anthropic:Kind"] = "anthropic",
            ["Gateway:Deployments:anthropic:BaseUrl"] = Provider.BaseAddress.ToString(),
            ["Gateway:Deployments:anthropic:ApiKey"] = "sk-ant-of-a-test",
            ["Gateway:Deployments:anthropic:Model"] = "claude-*",
            ["Gateway:Deployments:gone:BaseUrl"] = "http://127.0.0.1:1/v1",
            ["Gateway:MaxRequestBytes"] = "1048576",
        };

    public async ValueTask InitializeAsync()
    {
        _provider = await FakeProvider.StartAsync();
        _host = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken),
            Settings
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (_provider is not null)
            await _provider.DisposeAsync();
    }

    /// <summary>A second Host on the same database and provider, which takes abandoned calls to their end.</summary>
    public Task<VerbatimHost> StartDrainingAsync() =>
        VerbatimHost.StartAsync(
            Host.ConnectionString,
            new Dictionary<string, string>(Settings, StringComparer.Ordinal) { ["Gateway:DrainAbandoned"] = "true" }
        );

    public IChatClient Client(string? reference = null, VerbatimHost? at = null) =>
        (at ?? Host)
            .Services.GetRequiredService<IModelClients>()
            .For(
                new ModelCaller(new AppendContext(Tenant, $"user:{User}", "a-request") { Subject = User }, User)
                {
                    Reference = reference,
                }
            );

    internal async Task<Inference> InferenceAsync(Guid id) =>
        (
            await Host
                .Services.GetRequiredService<DocumentStore>()
                .LoadAsync<Inference>(Access.ToOwn(Tenant, User), id, TestContext.Current.CancellationToken)
        )!.Value;

    /// <summary>What the provider was sent, the latest with this marker.</summary>
    public async Task<JsonNode> SentAsync(string marker, int count = 1)
    {
        await Provider.Requests.FirstAsync(marker, count, TestContext.Current.CancellationToken);
        return JsonNode.Parse(Provider.Requests.Of(marker)[^1].BodyText)!;
    }
}
