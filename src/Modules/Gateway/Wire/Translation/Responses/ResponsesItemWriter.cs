using System.Globalization;
using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>The items of a response's output: each part of an answer is one.</summary>
internal sealed class ResponsesItemWriter
{
    // Deltas name their item, so the last name is kept.
    private AnswerPart? _part;
    private byte[] _id = [];

    /// <summary>What an item calls itself.</summary>
    public ReadOnlySpan<byte> IdOf(Answer answer, AnswerPart part)
    {
        if (ReferenceEquals(part, _part))
            return _id;
        var prefix = part.Kind switch
        {
            PartKind.ToolCall => "fc",
            PartKind.Reasoning or PartKind.SealedReasoning => "rs",
            _ => "msg",
        };
        _part = part;
        _id = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{prefix}_{answer.Identity.Id:N}{part.Index}")
        );
        return _id;
    }

    /// <summary>The item as it begins.</summary>
    public byte[] Begun(Answer answer, AnswerPart part) => Item(answer, part, isWhole: false);

    /// <summary>The item with what has come of it.</summary>
    public byte[] Whole(Answer answer, AnswerPart part) => Item(answer, part, isWhole: true);

    /// <summary>The content that an item has.</summary>
    public static byte[] Content(AnswerPart part, bool isWhole)
    {
        var text = isWhole ? part.Text : default;
        return part.Kind switch
        {
            PartKind.Refusal => [.. "{\"type\":\"refusal\",\"refusal\":\""u8, .. text, .. "\"}"u8],
            PartKind.Reasoning => [.. "{\"type\":\"summary_text\",\"text\":\""u8, .. text, .. "\"}"u8],
            _ =>
            [
                .. "{\"type\":\"output_text\",\"text\":\""u8,
                .. text,
                .. "\",\"annotations\":["u8,
                .. isWhole ? Annotations(part) : [],
                .. "],\"logprobs\":["u8,
                .. isWhole ? part.Logprobs : default,
                .. "]}"u8,
            ],
        };
    }

    /// <summary>A citation.</summary>
    public static byte[] Annotation(Citation citation) =>
        [
            .. "{\"type\":\"url_citation\",\"url\":\""u8,
            .. citation.Url,
            .. "\",\"title\":\""u8,
            .. citation.Title,
            .. Encoding.ASCII.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"\",\"start_index\":{citation.Start},\"end_index\":{citation.End}}}"
                )
            ),
        ];

    private static byte[] Annotations(AnswerPart part)
    {
        var joined = new List<byte>();
        foreach (var citation in part.Citations)
        {
            if (joined.Count > 0)
                joined.Add((byte)',');
            joined.AddRange(Annotation(citation));
        }
        return [.. joined];
    }

    private byte[] Item(Answer answer, AnswerPart part, bool isWhole)
    {
        var id = IdOf(answer, part);
        var status = part.IsClosed ? "completed"u8 : "in_progress"u8;
        return part.Kind switch
        {
            PartKind.ToolCall =>
            [
                .. "{\"id\":\""u8,
                .. id,
                .. "\",\"type\":\"function_call\",\"status\":\""u8,
                .. status,
                .. "\",\"arguments\":\""u8,
                .. isWhole ? part.Text : default,
                .. "\",\"call_id\":\""u8,
                .. part.Id,
                .. "\",\"name\":\""u8,
                .. part.Name,
                .. "\"}"u8,
            ],
            PartKind.Reasoning or PartKind.SealedReasoning => Reasoning(part, id, isWhole),
            _ =>
            [
                .. "{\"id\":\""u8,
                .. id,
                .. "\",\"type\":\"message\",\"status\":\""u8,
                .. status,
                .. "\",\"role\":\"assistant\",\"content\":["u8,
                .. isWhole ? Content(part, isWhole) : [],
                .. "]}"u8,
            ],
        };
    }

    private static byte[] Reasoning(AnswerPart part, ReadOnlySpan<byte> id, bool isWhole)
    {
        var hasText = isWhole && part.Kind == PartKind.Reasoning;
        var seal = isWhole ? part.Seal.ToForeign() : [];
        return
        [
            .. "{\"id\":\""u8,
            .. id,
            .. "\",\"type\":\"reasoning\",\"summary\":["u8,
            .. hasText ? Content(part, isWhole) : [],
            .. "]"u8,
            .. seal.Length > 0 ? ",\"encrypted_content\":\""u8 : default,
            .. seal,
            .. seal.Length > 0 ? "\"}"u8 : "}"u8,
        ];
    }
}
