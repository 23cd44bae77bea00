using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>A Host with a fake provider of each kind, and deployments of their own for calls that fail.</summary>
public sealed class ConformanceHost(SharedPostgres postgres) : GatewayHost(postgres)
{
    /// <summary>Kinds of providers, with how the names of their models begin.</summary>
    public static readonly IReadOnlyDictionary<string, string> Kinds = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["openai-compatible"] = "gpt-",
        ["openai"] = "openai/gpt-",
        ["azure-openai"] = "azure-gpt-",
        ["openrouter"] = "openrouter/gpt-",
        ["ollama"] = "ollama/gpt-",
        ["vllm"] = "vllm/gpt-",
        ["anthropic"] = "claude-",
    };

    /// <summary>One kind for each set of wires that a provider may speak: the others differ in paths and credentials only.</summary>
    public static readonly IReadOnlyList<string> DistinctKinds = ["openai-compatible", "openai", "anthropic"];

    private const int FailingDeployments = 60;

    private readonly ConcurrentDictionary<string, int> _failing = new(StringComparer.Ordinal);

    /// <summary>A model that answers.</summary>
    public static string Model(string kind) => Kinds[kind] + "fake";

    /// <summary>A model at a deployment that no other call uses, so that its failures do no harm to another.</summary>
    public string ModelThatFails(string kind) =>
        _failing.AddOrUpdate(kind, 1, static (_, number) => number + 1) is var number and <= FailingDeployments
            ? Failing(kind, number)
            : throw new InvalidOperationException("There are not enough deployments that may fail.");

    /// <summary>A model at one of the deployments that may fail, by turns.</summary>
    public static string ModelThatMayBreak(string kind, int turn) => Failing(kind, 1 + turn % FailingDeployments);

    /// <summary>Sends a file to the provider of a kind; its id.</summary>
    public async Task<string> UploadAsync(string kind, CancellationToken cancellationToken)
    {
        using var client = Host.As(ApiKey);
        client.DefaultRequestHeaders.Add("x-verbatim-provider", $"of-{kind}");
        if (kind == "anthropic")
            client.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
        using var form = new MultipartFormDataContent
        {
            { new StringContent("user_data"), "purpose" },
            { new StringContent("Some text."), "file", "a.txt" },
        };
        using var response = await client.PostAsync("/v1/files", form, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? JsonNode.Parse(text)!["id"]!.GetValue<string>()
            : throw new InvalidOperationException(text);
    }

    /// <inheritdoc/>
    protected override IDictionary<string, string> Settings(Uri provider)
    {
        var settings = base.Settings(provider);
        // One call, one request: what is tried again has tests of its own.
        settings["Gateway:MaxAttempts"] = "1";
        foreach (var (kind, prefix) in Kinds)
        {
            Add(settings, provider, $"of-{kind}", kind, prefix + "*");
            for (var i = 1; i <= FailingDeployments; i++)
            {
                Add(settings, provider, $"unsound-{kind}-{i}", kind, Failing(kind, i) + "*");
                Add(settings, provider, $"second-{kind}-{i}", kind, Failing(kind, i, "second-") + "*");
            }
        }
        settings["Gateway:Deployments:fake:Model"] = "unused-fake";
        settings["Gateway:Deployments:claude:Model"] = "unused-claude";
        return settings;
    }

    // With a letter behind the number, so that 1 is not the beginning of 11.
    private static string Failing(string kind, int number, string set = "") => $"{Kinds[kind]}{set}unsound-{number}x";

    private static void Add(IDictionary<string, string> settings, Uri provider, string name, string kind, string model)
    {
        settings[$"Gateway:Deployments:{name}:Kind"] = kind;
        settings[$"Gateway:Deployments:{name}:BaseUrl"] =
            kind == "azure-openai" ? new Uri(provider, "/").ToString() : provider.ToString();
        if (kind == "azure-openai")
            settings[$"Gateway:Deployments:{name}:ApiVersion"] = "2024-10-21";
        settings[$"Gateway:Deployments:{name}:ApiKey"] = "sk-the-providers-own";
        settings[$"Gateway:Deployments:{name}:Model"] = model;
    }
}
