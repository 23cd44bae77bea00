using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>Reads what a message or a delta of the chat-completions wire says into contents.</summary>
/// <param name="model">The model that was asked, for whom alone its reasoning is of use.</param>
internal sealed class AnswerContents(string model)
{
    /// <summary>The code of an <see cref="ErrorContent"/> with which a model refuses, as Microsoft.Extensions.AI names it for OpenAI's.</summary>
    public const string Refusal = "Refusal";

    // Tool calls come in pieces, by their index.
    private readonly SortedDictionary<int, ToolCall> _calls = [];

    private sealed class ToolCall
    {
        public string? Id { get; set; }
        public StringBuilder Name { get; } = new();
        public StringBuilder Arguments { get; } = new();
    }

    /// <summary>Reads a message or a delta. Its tool calls are there when all of them have come: <see cref="TakeToolCalls"/>.</summary>
    public void Read(JsonElement message, List<AIContent> contents)
    {
        if (message.ValueKind != JsonValueKind.Object)
            return;
        ReadReasoning(message, contents);
        var text = ElementText.Of(message, "content");
        var annotations = AnnotationsOf(message);
        if (text is { Length: > 0 } || annotations is not null)
            contents.Add(new TextContent(text ?? "") { Annotations = annotations });
        if (ElementText.Of(message, "refusal") is { Length: > 0 } refusal)
            contents.Add(new ErrorContent(refusal) { ErrorCode = Refusal });
        foreach (var call in Elements(message, "tool_calls"))
            ReadToolCall(call);
    }

    /// <summary>The tool calls that have come, in their order.</summary>
    public void TakeToolCalls(List<AIContent> contents)
    {
        foreach (var (index, call) in _calls)
            contents.Add(
                ToolCallArguments.Read(call.Id ?? $"call_{index}", call.Name.ToString(), call.Arguments.ToString())
            );
        _calls.Clear();
    }

    private void ReadReasoning(JsonElement message, List<AIContent> contents)
    {
        var before = contents.Count;
        foreach (var detail in Elements(message, "reasoning_details"))
        {
            var text = ElementText.Of(detail, "text") ?? ElementText.Of(detail, "summary") ?? "";
            var seal = ReasoningProtection.Write(model, detail);
            // The seal of an item's summary is an element of its own behind it.
            if (text.Length == 0 && contents is [.., TextReasoningContent { ProtectedData: null } summary])
                summary.ProtectedData = seal;
            else if (text.Length > 0 || seal is not null)
                contents.Add(new TextReasoningContent(text) { ProtectedData = seal });
        }
        if (contents.Count > before)
            return;
        // DeepSeek's and vLLM's name, and OpenRouter's.
        if (
            (ElementText.Of(message, "reasoning_content") ?? ElementText.Of(message, "reasoning")) is
            { Length: > 0 } plain
        )
            contents.Add(new TextReasoningContent(plain));
    }

    private void ReadToolCall(JsonElement piece)
    {
        var index =
            piece.ValueKind == JsonValueKind.Object
            && piece.TryGetProperty("index", out var given)
            && given.ValueKind == JsonValueKind.Number
            && given.TryGetInt32(out var number)
                ? number
                : -1;
        // In a whole answer they have no index, and some providers leave it out of streams: then an id begins another one.
        if (index < 0)
            index = ElementText.Of(piece, "id") is null && _calls.Count > 0 ? _calls.Keys.Last() : _calls.Count;
        if (!_calls.TryGetValue(index, out var call))
            _calls[index] = call = new ToolCall();
        if (ElementText.Of(piece, "id") is { Length: > 0 } id)
            call.Id ??= id;
        if (piece.ValueKind == JsonValueKind.Object && piece.TryGetProperty("function", out var function))
        {
            call.Name.Append(ElementText.Of(function, "name"));
            call.Arguments.Append(ElementText.Of(function, "arguments"));
        }
    }

    private static List<AIAnnotation>? AnnotationsOf(JsonElement message)
    {
        List<AIAnnotation>? annotations = null;
        foreach (var annotation in Elements(message, "annotations"))
        {
            if (
                annotation.ValueKind != JsonValueKind.Object
                || !annotation.TryGetProperty("url_citation", out var citation)
            )
                continue;
            (annotations ??= []).Add(
                new CitationAnnotation
                {
                    Title = ElementText.Of(citation, "title"),
                    Url = Uri.TryCreate(ElementText.Of(citation, "url"), UriKind.Absolute, out var url) ? url : null,
                    AnnotatedRegions =
                    [
                        new TextSpanAnnotatedRegion
                        {
                            StartIndex = NumberOf(citation, "start_index"),
                            EndIndex = NumberOf(citation, "end_index"),
                        },
                    ],
                }
            );
        }
        return annotations;
    }

    private static IEnumerable<JsonElement> Elements(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object
        && parent.TryGetProperty(name, out var list)
        && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : Enumerable.Empty<JsonElement>();

    private static int? NumberOf(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object
        && parent.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt32(out var number)
            ? number
            : null;
}
