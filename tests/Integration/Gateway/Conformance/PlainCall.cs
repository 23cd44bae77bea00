using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>An operation that is passed on as it is, or not at all: no feature of a dialogue, but a row of the table all the same.</summary>
/// <param name="Name">What the row says.</param>
/// <param name="Path">Where it is.</param>
/// <param name="Body">JSON with <c>MODEL</c> in it; null for a form with a file.</param>
internal sealed record PlainCall(string Name, string Path, string? Body)
{
    public static readonly IReadOnlyList<PlainCall> All =
    [
        new(
            "`messages/count_tokens`",
            "/v1/messages/count_tokens",
            """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}]}"""
        ),
        new("`embeddings`", "/v1/embeddings", """{"model":"MODEL","input":"Hello"}"""),
        new("`moderations`", "/v1/moderations", """{"model":"MODEL","input":"Hello"}"""),
        new("legacy `completions`", "/v1/completions", """{"model":"MODEL","prompt":"Hello"}"""),
        new("`audio/speech`", "/v1/audio/speech", """{"model":"MODEL","voice":"alloy","input":"Hello"}"""),
        new(
            "`audio/speech` in events",
            "/v1/audio/speech",
            """{"model":"MODEL","voice":"alloy","input":"Hello","stream_format":"sse"}"""
        ),
        new("`audio/transcriptions`", "/v1/audio/transcriptions", Body: null),
        new("`audio/translations`", "/v1/audio/translations", Body: null),
        new("`images/generations`", "/v1/images/generations", """{"model":"MODEL","prompt":"A lighthouse"}"""),
        new("`images/edits`", "/v1/images/edits", Body: null),
        new("`files` of OpenAI's API", "/v1/files", Body: null),
        new("`files` of Anthropic's API", "/v1/files", Body: null) { IsAnthropic = true },
    ];

    /// <summary>Asked by a client of Anthropic's, where the path does not say so.</summary>
    public bool IsAnthropic { get; init; }

    /// <summary>The cell of the table: <c>passes</c>, <c>estimated</c>, <c>400 `name`</c>, or <c>FAILS</c> and why.</summary>
    public async Task<string> OutcomeAsync(ConformanceHost gateway, string kind, CancellationToken cancellationToken)
    {
        var model = ConformanceHost.Model(kind);
        using var client = gateway.Host.As(gateway.ApiKey);
        client.DefaultRequestHeaders.Add("x-verbatim-provider", $"of-{kind}");
        if (IsAnthropic)
            client.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
        using HttpContent content = Body is null
            ? Form(model)
            : new StringContent(
                Body.Replace("MODEL", model, StringComparison.Ordinal),
                Encoding.UTF8,
                "application/json"
            );
        using var response = await client.PostAsync(Path, content, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.StatusCode == HttpStatusCode.OK)
            return response.Headers.Contains("x-verbatim-estimated") ? "estimated" : "passes";
        if (response.StatusCode != HttpStatusCode.BadRequest)
            return $"FAILS: {(int)response.StatusCode} {text}";
        var error = JsonNode.Parse(text)!["error"]!;
        // Anthropic's errors have no field for it; it stands in the message.
        var parameter =
            error["param"]?.GetValue<string>()
            ?? (error["message"]!.GetValue<string>().Split('\'') is [_, var quoted, ..] ? quoted : null);
        return parameter is null ? $"FAILS: a 400 that names nothing: {text}" : $"400 `{parameter}`";
    }

    private static MultipartFormDataContent Form(string model) =>
        new()
        {
            { new StringContent(model), "model" },
            { new StringContent("user_data"), "purpose" },
            { new ByteArrayContent([1, 2, 3]), "file", "a.bin" },
        };
}
