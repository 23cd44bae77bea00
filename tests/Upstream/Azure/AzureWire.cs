using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.OpenAi;
using Verbatim.Tests.Upstream.Raw;
using Verbatim.Tests.Upstream.Responses;

namespace Verbatim.Tests.Upstream.Azure;

/// <summary>
/// Azure OpenAI: OpenAI's wire by deployment, with a version in the query and a key in a header of its own. The
/// deployment's name takes commands like a model's. Responses and files belong to the resource and have no deployment in their path.
/// </summary>
internal sealed class AzureWire(bool record) : IWire
{
    private const string Deployments = "/openai/deployments/";
    private const string Responses = "/openai/v1/responses";
    private const string Files = "/openai/files";

    private readonly OpenAiWire _openAi = new(record);
    private readonly ResponsesWire _responses = new(record);
    private readonly RawWire _raw = new(record);

    public IReadOnlyList<KeyValuePair<string, string>> ProviderHeaders => AzureHeaders.All;

    public bool Serves(in WireRequest request) => request.Path.StartsWith("/openai/", StringComparison.Ordinal);

    public Reply Respond(in WireRequest request)
    {
        if (request.Header("api-key").Length is 0 && request.Header("authorization").Length is 0)
            return new Reply(ProviderErrors.AzureNoKey, CommandSet.None);
        if (request.Parameter("api-version") is not { Length: > 0 })
            return new Reply(ProviderErrors.AzureNotFound, CommandSet.None);
        if (request.Path.StartsWith(Responses, StringComparison.Ordinal))
            return _responses.Respond(At(request, "/v1/responses" + request.Path[Responses.Length..]));
        if (request.Path.StartsWith(Files, StringComparison.Ordinal))
            return _raw.Respond(At(request, "/v1/files" + request.Path[Files.Length..]));
        var rest = request.Path.StartsWith(Deployments, StringComparison.Ordinal)
            ? request.Path[Deployments.Length..]
            : "";
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0)
            return new Reply(ProviderErrors.AzureNotFound, CommandSet.None);
        var path = rest[slash..];
        return path switch
        {
            "/chat/completions" or "/embeddings" or "/completions" => _openAi.RespondAs(
                At(request, "/v1" + path, rest[..slash])
            ),
            "/audio/speech"
            or "/audio/transcriptions"
            or "/audio/translations"
            or "/images/generations"
            or "/images/edits" => _raw.Respond(At(request, "/v1" + path)),
            _ => new Reply(ProviderErrors.AzureNotFound, CommandSet.None),
        };
    }

    private static WireRequest At(in WireRequest request, string path, string? deployment = null) =>
        new()
        {
            Method = request.Method,
            Path = path,
            Query = request.Query,
            Headers = request.Headers,
            Body = request.Body,
            Stamp = request.Stamp,
            Attempts = request.Attempts,
            Deployment = deployment,
        };
}
