using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Azure;

/// <summary>
/// Azure OpenAI: OpenAI's wire by deployment, with a version in the query and a key in a header of its own. The
/// deployment's name takes commands like a model's.
/// </summary>
internal sealed class AzureWire(bool record) : IWire
{
    private const string Root = "/openai/deployments/";

    private readonly OpenAiWire _openAi = new(record);

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => AzureHeaders.All;

    public bool Serves(in WireRequest request) => request.Path.StartsWith("/openai/", StringComparison.Ordinal);

    public Reply Respond(in WireRequest request)
    {
        if (request.Header("api-key").Length is 0 && request.Header("authorization").Length is 0)
            return new Reply(ProviderErrors.AzureNoKey, CommandSet.None);
        var rest = request.Path.StartsWith(Root, StringComparison.Ordinal) ? request.Path[Root.Length..] : "";
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || request.Parameter("api-version") is not { Length: > 0 })
            return new Reply(ProviderErrors.AzureNotFound, CommandSet.None);
        return rest[slash..] is "/chat/completions" or "/embeddings" or "/completions"
            ? _openAi.RespondAs(
                new WireRequest
                {
                    Method = request.Method,
                    Path = "/v1" + rest[slash..],
                    Query = request.Query,
                    Headers = request.Headers,
                    Body = request.Body,
                    Stamp = request.Stamp,
                    Attempts = request.Attempts,
                    Deployment = rest[..slash],
                }
            )
            : new Reply(ProviderErrors.AzureNotFound, CommandSet.None);
    }
}
