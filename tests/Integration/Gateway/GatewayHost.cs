using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>A Host whose models <c>gpt-*</c> are at a fake provider, and a key to call it with.</summary>
public class GatewayHost(SharedPostgres postgres) : IAsyncLifetime
{
    public const string InferenceIdHeader = "x-verbatim-inference-id";

    private const int FailingDeployments = 12;

    private int _failing;
    private Guid? _tenant;
    private VerbatimHost? _host;
    private FakeProvider? _provider;

    public VerbatimHost Host => _host!;

    public FakeProvider Provider => _provider!;

    public string ApiKey { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        _provider = await FakeProvider.StartAsync();
        _host = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken),
            new Dictionary<string, string>(Settings(_provider.BaseAddress), StringComparer.Ordinal)
        );
        ApiKey = await _host.CreateApiKeyAsync(cancellationToken: TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_host is not null)
            await _host.DisposeAsync();
        if (_provider is not null)
            await _provider.DisposeAsync();
    }

    /// <summary>A second Host on the same database and provider.</summary>
    public Task<VerbatimHost> StartAnotherAsync() =>
        VerbatimHost.StartAsync(
            Host.ConnectionString,
            new Dictionary<string, string>(Settings(Provider.BaseAddress), StringComparer.Ordinal)
        );

    /// <summary>A model at a deployment that no other test uses, which may be made to fail.</summary>
    public string ModelThatMayFail() =>
        Interlocked.Increment(ref _failing) is var number and <= FailingDeployments
            ? $"failing-{number}"
            : throw new InvalidOperationException("There are not enough deployments that may fail.");

    /// <summary>Sends these very bytes and returns when the head of the answer is there.</summary>
    public Task<HttpResponseMessage> PostAsync(
        string body,
        CancellationToken cancellationToken,
        Action<HttpRequestMessage>? change = null,
        string path = "/v1/chat/completions"
    ) => SendAsync(body, change, ApiKey, cancellationToken, path);

    /// <summary>The same with another credential, or with none.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string body,
        Action<HttpRequestMessage>? change,
        string? credential,
        CancellationToken cancellationToken,
        string path = "/v1/chat/completions"
    )
    {
        // Not disposed of: the answer is still read when this returns.
        var client = credential is null ? Host.AsAnyone() : Host.As(credential);
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        change?.Invoke(request);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>The events of the inference that a response names.</summary>
    public Task<IReadOnlyList<RecordedEvent>> RecordOfAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    ) => RecordOfAsync(Guid.Parse(response.Headers.GetValues(InferenceIdHeader).Single()), cancellationToken);

    public async Task<IReadOnlyList<RecordedEvent>> RecordOfAsync(Guid id, CancellationToken cancellationToken)
    {
        var events = Host.Services.GetRequiredService<EventStore>();
        var record = new List<RecordedEvent>();
        await foreach (
            var recorded in events.ReadStreamAsync(await TenantAsync(cancellationToken), id, 1, cancellationToken)
        )
            record.Add(recorded);
        return record;
    }

    /// <summary>Waits for the outcome that follows the client's end of the call, which nothing tells the client about.</summary>
    public async Task<RecordedEvent> OutcomeOfAsync(Guid id, CancellationToken cancellationToken)
    {
        var events = Host.Services.GetRequiredService<EventStore>();
        var seen = 0L;
        while (true)
        {
            if (await RecordOfAsync(id, cancellationToken) is [_, var outcome])
                return outcome;
            // Each look is worth while only once the log has grown.
            long head;
            while ((head = await events.ReadHeadAsync(cancellationToken)) == seen)
                await Task.Yield();
            seen = head;
        }
    }

    /// <summary>The same where the client has not even heard of the record: by the request's id.</summary>
    public async Task<RecordedEvent> OutcomeOfRequestAsync(string requestId, CancellationToken cancellationToken)
    {
        await using var command = Host
            .Services.GetRequiredService<Platform.Postgres.Database>()
            .Writes.CreateCommand("select stream_id from platform.events where correlation = $1 and version = 1");
        command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = requestId });
        return await OutcomeOfAsync((Guid)(await command.ExecuteScalarAsync(cancellationToken))!, cancellationToken);
    }

    internal async Task<Inference> InferenceAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var id = Guid.Parse(response.Headers.GetValues(InferenceIdHeader).Single());
        var documents = Host.Services.GetRequiredService<DocumentStore>();
        return (
            await documents.LoadAsync<Inference>(
                Access.ToAll(await TenantAsync(cancellationToken)),
                id,
                cancellationToken
            )
        )!.Value;
    }

    public async Task<JsonNode> DataAsync(RecordedEvent recorded, CancellationToken cancellationToken) =>
        JsonNode.Parse(await TextAsync(recorded, cancellationToken))!;

    /// <summary>An event's data with what is sealed in it opened.</summary>
    public async Task<string> TextAsync(RecordedEvent recorded, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetString(
            (await Host.Services.GetRequiredService<EventReader>().OpenAsync(recorded, cancellationToken)).Span
        );

    /// <summary>What the Host is set to.</summary>
    protected virtual IDictionary<string, string> Settings(Uri provider) =>
        new Dictionary<string, string>(Failing(provider), StringComparer.Ordinal)
        {
            ["Gateway:Deployments:fake:BaseUrl"] = provider.ToString(),
            ["Gateway:Deployments:fake:ApiKey"] = "sk-the-providers-own",
            ["Gateway:Deployments:fake:Model"] = "gpt-*",
            ["Gateway:Deployments:renamed:BaseUrl"] = provider.ToString(),
            ["Gateway:Deployments:renamed:Model"] = "fast",
            ["Gateway:Deployments:renamed:UpstreamModel"] = "gpt-fake-2030-01-01",
            ["Gateway:Deployments:impatient:BaseUrl"] = provider.ToString(),
            ["Gateway:Deployments:impatient:Model"] = "impatient*",
            ["Gateway:Deployments:impatient:FirstByteTimeout"] = "00:00:00.500",
            ["Gateway:Deployments:impatient:IdleTimeout"] = "00:00:00.500",
            ["Gateway:Deployments:gone:BaseUrl"] = "http://127.0.0.1:1/v1",
            ["Gateway:Deployments:claude:Kind"] = "anthropic",
            ["Gateway:Deployments:claude:BaseUrl"] = provider.ToString(),
            ["Gateway:Deployments:claude:ApiKey"] = "sk-ant-the-providers-own",
            ["Gateway:Deployments:claude:Model"] = "claude-*",
            ["Gateway:Deployments:keeps:Kind"] = "openai",
            ["Gateway:Deployments:keeps:BaseUrl"] = provider.ToString(),
            ["Gateway:Deployments:keeps:ApiKey"] = "sk-the-providers-own",
            ["Gateway:Deployments:keeps:Model"] = "keeps-responses",
            ["Gateway:MaxRequestBytes"] = "8388608",
            ["Gateway:MaxFileBytes"] = "2097152",
        };

    // Deployments of their own for what rests a deployment or opens its circuit: failing-1*, failing-2* …
    private static Dictionary<string, string> Failing(Uri provider)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 1; i <= FailingDeployments; i++)
        {
            settings[$"Gateway:Deployments:failing-{i}:BaseUrl"] = provider.ToString();
            settings[$"Gateway:Deployments:failing-{i}:Model"] = $"failing-{i}*";
        }
        return settings;
    }

    private async Task<Guid> TenantAsync(CancellationToken cancellationToken)
    {
        if (_tenant is { } known)
            return known;
        using var client = Host.As(ApiKey);
        var me = JsonNode.Parse(await client.GetStringAsync("/api/me", cancellationToken))!;
        return (_tenant = me["organizationId"]!.GetValue<Guid>()).Value;
    }
}
