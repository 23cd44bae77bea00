namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>
/// <c>reasoning_details</c> of an assistant's message: the one shape in which thoughts with signatures travel on the chat-completions wire
/// (OpenRouter's documentation, "Reasoning tokens"). An element is a text, a summary or something encrypted; <c>format</c> says whose.
/// </summary>
internal static class ReasoningDetails
{
    private const string Anthropic = "anthropic-claude-v1";
    private const string OpenAi = "openai-responses-v1";

    /// <summary>The <c>format</c> of thoughts of this origin.</summary>
    public static ReadOnlySpan<byte> FormatOf(ReasoningOrigin origin) =>
        origin switch
        {
            ReasoningOrigin.Thinking or ReasoningOrigin.RedactedThinking => "\"anthropic-claude-v1\""u8,
            ReasoningOrigin.Item => "\"openai-responses-v1\""u8,
            _ => "\"unknown\""u8,
        };

    /// <summary>Reads them from a message that comes back.</summary>
    public static List<Part> Read(List<RequestObject> details)
    {
        var parts = new List<Part>();
        long? last = null;
        foreach (var detail in details)
        {
            var type = detail.TakeWord("type");
            var format = detail.TakeWord("format");
            var id = Inside(detail.TakeText("id")?.Value);
            var previous = parts.Count > 0 ? (ReasoningPart)parts[^1] : null;
            var index = detail.TakeCount("index")?.Value;
            var goesOn = index is not null && index == last;
            last = index;
            switch (type)
            {
                // A client that collected the elements of a stream without merging them sends one thought in many.
                case "reasoning.text" when goesOn && previous is { Text: { } begun, Seal.Data.IsEmpty: true }:
                    parts[^1] = previous with
                    {
                        Text = Joined(begun, detail.TakeText("text")?.Value),
                        Seal = ReasoningSeal.From(
                            previous.Seal.Origin == ReasoningOrigin.Unknown && format is not (Anthropic or null)
                                ? ReasoningOrigin.Unknown
                                : ReasoningOrigin.Thinking,
                            id,
                            Inside(detail.TakeText("signature")?.Value)
                        ),
                    };
                    break;
                case "reasoning.summary" when goesOn && previous is { Text: { } begun, Seal.Data.IsEmpty: true }:
                    parts[^1] = previous with { Text = Joined(begun, detail.TakeText("summary")?.Value) };
                    break;
                case "reasoning.text":
                    var signature = Inside(detail.TakeText("signature")?.Value);
                    var origin = format is Anthropic or null ? ReasoningOrigin.Thinking : ReasoningOrigin.Unknown;
                    parts.Add(
                        new ReasoningPart(
                            detail.Path,
                            detail.TakeText("text")?.Value ?? JsonText.Empty,
                            ReasoningSeal.From(origin, id, signature)
                        )
                    );
                    break;
                case "reasoning.summary":
                    var summary = detail.TakeText("summary")?.Value ?? JsonText.Empty;
                    parts.Add(
                        new ReasoningPart(detail.Path, summary, new ReasoningSeal(OriginOf(format), id, default))
                    );
                    break;
                // The encrypted content of an item comes as an element of its own behind the item's summary.
                case "reasoning.encrypted"
                    when format == OpenAi && previous?.Seal is { Origin: ReasoningOrigin.Item, Data.IsEmpty: true }:
                    parts[^1] = previous with
                    {
                        Seal = new ReasoningSeal(
                            ReasoningOrigin.Item,
                            id.IsEmpty ? previous.Seal.Id : id,
                            Inside(detail.TakeText("data")?.Value)
                        ),
                    };
                    break;
                case "reasoning.encrypted":
                    parts.Add(
                        new ReasoningPart(
                            detail.Path,
                            Text: null,
                            new ReasoningSeal(EncryptedOriginOf(format), id, Inside(detail.TakeText("data")?.Value))
                        )
                    );
                    break;
                default:
                    break;
            }
        }
        return parts;
    }

    private static JsonText Joined(JsonText begun, JsonText? more) =>
        more is { } m ? JsonText.Quote(begun.Escaped, m.Escaped) : begun;

    private static ReasoningOrigin OriginOf(string? format) =>
        format == OpenAi ? ReasoningOrigin.Item : ReasoningOrigin.Unknown;

    private static ReasoningOrigin EncryptedOriginOf(string? format) =>
        format switch
        {
            Anthropic => ReasoningOrigin.RedactedThinking,
            OpenAi => ReasoningOrigin.Item,
            _ => ReasoningOrigin.Unknown,
        };

    private static ReadOnlyMemory<byte> Inside(JsonText? text) => text is { } t ? t.Token[1..^1] : default;
}
