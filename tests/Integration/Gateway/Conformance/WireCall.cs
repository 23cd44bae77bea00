using System.Net;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>Asks for one feature on one wire at one kind of provider, and tells what came of it.</summary>
internal sealed class WireCall(ConformanceHost gateway, Feature feature, string wire, string kind)
{
    // So the end of what Expectation says is missed, and so the table.
    private const string Untold = "not told";
    private const string WarningHeader = "x-verbatim-unsupported";

    private static readonly Dictionary<string, string> Paths = new(StringComparer.Ordinal)
    {
        ["chat"] = "/v1/chat/completions",
        ["responses"] = "/v1/responses",
        ["messages"] = "/v1/messages",
    };

    // What stands for a file of the caller's own in features.json.
    private const string AnyFile = "file-0123456789";

    private string _file = AnyFile;

    // The wire that the provider is asked on.
    private string Upstream =>
        kind == "anthropic" ? "messages"
        : kind is "openai" or "azure-openai" or "vllm" && wire == "responses" ? "responses"
        : "chat";

    // Chat completions in the form that servers of this kind give them.
    private string Shape => kind is "openrouter" or "ollama" or "vllm" && Upstream == "chat" ? $",as={kind}" : "";

    private bool IsTranslated => Upstream != wire;

    private bool Fails => feature.Status is not null || feature.Breaks;

    /// <summary>The cell of the table: <c>passes</c>, <c>400 `name`</c>, or <c>FAILS</c> and why.</summary>
    public async Task<string> OutcomeAsync(CancellationToken cancellationToken)
    {
        var whole = feature.Only == "stream" ? null : await OutcomeAsync(stream: false, cancellationToken);
        // A provider that has asked for a pause is not asked again at once.
        var streamed = feature.Pause is not null ? null : await OutcomeAsync(stream: true, cancellationToken);
        if (whole is null || streamed is null || whole == streamed)
            return whole ?? streamed!;
        if ((whole, streamed) is (Untold, "passes") or ("passes", Untold))
            return Untold;
        return $"FAILS: whole: {whole}; streamed: {streamed}";
    }

    private async Task<string> OutcomeAsync(bool stream, CancellationToken cancellationToken)
    {
        try
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            bound.CancelAfter(TimeSpan.FromSeconds(30));
            return await CallAsync(stream, bound.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return Failing(stream, $"{e.GetType().Name}: {e.Message}");
        }
    }

    private async Task<string> CallAsync(bool stream, CancellationToken cancellationToken)
    {
        var marker = Guid.NewGuid().ToString("N");
        var model = Fails ? gateway.ModelThatFails(kind) : ConformanceHost.Model(kind);
        var body = feature.BodyFor(wire, $"{model}@{feature.CommandsFor(Upstream, marker)}{Shape}", stream);
        _file = body.Contains(AnyFile, StringComparison.Ordinal)
            ? await gateway.UploadAsync(kind, cancellationToken)
            : AnyFile;
        body = body.Replace(AnyFile, _file, StringComparison.Ordinal);
        using var response = await gateway.PostAsync(body, cancellationToken, path: Paths[wire]);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.StatusCode == HttpStatusCode.OK)
            return Answered(text, response.Content.Headers.ContentType?.MediaType, stream, marker) is { } missed
                ? missed.EndsWith(Untold, StringComparison.Ordinal)
                && feature.Untold.Contains(kind, StringComparer.Ordinal)
                    ? Untold
                    : Failing(stream, missed)
                : "passes";
        if (feature.Status is { } status)
            return Errored(response, text, status) is { } missed ? Failing(stream, missed) : "passes";
        if (response.StatusCode != HttpStatusCode.BadRequest)
            return Failing(stream, $"{(int)response.StatusCode} {text}");
        if (!IsTranslated)
            return gateway.Provider.Requests.Of(marker).Count > 0
                ? $"as the provider says: {MessageOf(text)}"
                : Failing(stream, $"refused, though the wire is the same: {text}");
        if (ParameterOf(text) is not { } parameter || !IsOwn(parameter))
            return Failing(stream, $"a 400 that does not name what is asked for: {text}");
        return await WarnedAsync(body, marker, parameter, cancellationToken) is { } unwarned
            ? Failing(stream, unwarned)
            : $"400 `{parameter}`";
    }

    private string? Answered(string text, string? contentType, bool stream, string marker)
    {
        if (feature.Status is not null)
            return "a 200 where the provider fails";
        if (contentType != (stream ? "text/event-stream" : "application/json"))
            return $"the content type is {contentType}";
        var seen = stream ? Sighting.OfStream(wire, text) : Sighting.Of(wire, JsonNode.Parse(text)!);
        if (feature.Breaks)
        {
            return seen.Error is null ? $"the stream ends without an error: {text}"
                : feature.Says is { } says && !seen.Error.Contains(says, StringComparison.Ordinal)
                    ? $"the error says '{seen.Error}'"
                : null;
        }
        if (!seen.IsWhole)
            return $"the stream has no end: {text}";
        if (seen.Error is { } error)
            return $"an error in the answer: {error}";
        return feature.Sees.Missed(seen) ?? Lost(marker);
    }

    // What was silently left out.
    private string? Lost(string marker)
    {
        if (feature.Hint || feature.Kept.Contains(wire, StringComparer.Ordinal))
            return null;
        var sent = gateway.Provider.Requests.Of(marker)[^1].BodyText;
        var wanted = feature.SendsAt.GetValueOrDefault(Upstream) ?? feature.Sends;
        return
            wanted
                .Select(w => w.Replace(AnyFile, _file, StringComparison.Ordinal))
                .FirstOrDefault(w => !sent.Contains(w, StringComparison.Ordinal))
                is { } lost
            ? $"'{lost}' did not reach the provider: {sent}"
            : null;
    }

    private string? Errored(HttpResponseMessage response, string text, int status)
    {
        // Anthropic has a status of its own for this one.
        if ((int)response.StatusCode != status && (status, (int)response.StatusCode) is not ((503, 529) or (529, 503)))
            return $"{(int)response.StatusCode} instead of {status}: {text}";
        var json = JsonNode.Parse(text)!;
        if (MessageOf(text) is not { Length: > 0 } message)
            return $"the error has no message: {text}";
        if (wire == "messages" && Sighting.TextOf(json["type"]) != "error")
            return $"the error is not one of Anthropic's: {text}";
        // Errors of OpenRouter, and of Azure on its paths of deployments, have a code alone, and pass as they are.
        var mark = kind is "azure-openai" or "openrouter" && wire == "chat" ? "code" : "type";
        if ((json["error"]?[mark]?.ToString() ?? "").Length == 0)
            return $"the error has no {mark}: {text}";
        if (feature.Says is { } says && !message.Contains(says, StringComparison.Ordinal))
            return $"the error says '{message}'";
        if (feature.Pause is { } pause && response.Headers.RetryAfter?.ToString() != pause)
            return $"retry-after is '{response.Headers.RetryAfter}'";
        return null;
    }

    private async Task<string?> WarnedAsync(
        string body,
        string marker,
        string parameter,
        CancellationToken cancellationToken
    )
    {
        if (gateway.Provider.Requests.Of(marker).Count > 0)
            return "the provider was asked although it cannot do it";
        using var response = await gateway.PostAsync(
            body,
            cancellationToken,
            r => r.Headers.Add(WarningHeader, "warn"),
            Paths[wire]
        );
        if (response.StatusCode != HttpStatusCode.OK)
            return $"with a warning it is {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}";
        var warned = response.Headers.TryGetValues(WarningHeader, out var values) ? string.Join(", ", values) : "";
        return warned.Split(", ").Contains(parameter, StringComparer.Ordinal)
            ? null
            : $"the warning names '{warned}' instead of '{parameter}'";
    }

    // What a 400 names must be of this request, not of another thing in it.
    private bool IsOwn(string parameter) =>
        feature.OwnMembers(wire)!.Any(m => parameter.StartsWith(m.Key, StringComparison.Ordinal));

    private string? ParameterOf(string text) =>
        wire == "messages"
            // Anthropic's errors have no field for it; it stands in the message.
            ? MessageOf(text).Split('\'') is [_, var quoted, ..]
                ? quoted
                : null
            : JsonNode.Parse(text)!["error"]?["param"]?.GetValue<string>();

    private static string MessageOf(string text) => Sighting.TextOf(JsonNode.Parse(text)!["error"]?["message"]);

    private static string Failing(bool stream, string why) => $"FAILS{(stream ? " streamed" : "")}: {why}";
}
