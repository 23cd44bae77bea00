using System.Runtime.InteropServices;
using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Whose reasoning it is: only there is it of use when it comes back with the history.</summary>
internal enum ReasoningOrigin
{
    /// <summary>Not known: it is not sent to any provider again.</summary>
    Unknown,

    /// <summary>A thinking block of Anthropic's, with its signature.</summary>
    Thinking,

    /// <summary>A redacted thinking block of Anthropic's: the data is all there is.</summary>
    RedactedThinking,

    /// <summary>A reasoning item of OpenAI's, with its encrypted content.</summary>
    Item,

    /// <summary>The <c>reasoning_content</c> that many providers have on the chat-completions wire: a text and nothing else.</summary>
    Content,

    /// <summary>The <c>reasoning_details</c> that OpenRouter has on the chat-completions wire: a list as it was, whosever thoughts are in it.</summary>
    Details,
}

/// <summary>
/// What came with a piece of reasoning and must come back unchanged with it. Each wire has one string for it (<c>signature</c>,
/// <c>encrypted_content</c>), which the caller sends back without reading it; so the string says where the reasoning came from.
/// </summary>
/// <param name="Origin">Whose it is.</param>
/// <param name="Id">An item's id, escaped as in JSON; empty without one.</param>
/// <param name="Data">The signature or the encrypted content, escaped as in JSON; empty without one.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ReasoningSeal(
    ReasoningOrigin Origin,
    ReadOnlyMemory<byte> Id,
    ReadOnlyMemory<byte> Data
)
{
    private const char Separator = '|';

    private static readonly (ReasoningOrigin Origin, string Mark)[] Marks =
    [
        (ReasoningOrigin.Thinking, "vb1.thinking"),
        (ReasoningOrigin.RedactedThinking, "vb1.redacted"),
        (ReasoningOrigin.Item, "vb1.item"),
        (ReasoningOrigin.Content, "vb1.content"),
        (ReasoningOrigin.Details, "vb1.details"),
    ];

    /// <summary>The one string of a wire whose own reasoning is of another origin. Needs no escape in JSON beyond what its parts have.</summary>
    public byte[] ToForeign()
    {
        var origin = Origin;
        var mark = Array.Find(Marks, m => m.Origin == origin).Mark;
        return mark is null
            ? []
            : [.. Encoding.ASCII.GetBytes(mark), (byte)Separator, .. Id.Span, (byte)Separator, .. Data.Span];
    }

    /// <summary>Reads the string of a wire again: made by <see cref="ToForeign"/>, or the wire's own.</summary>
    /// <param name="own">The origin where the string is the wire's own.</param>
    /// <param name="id">The item's id beside the string, if it is the wire's own.</param>
    /// <param name="data">The string, escaped.</param>
    public static ReasoningSeal From(ReasoningOrigin own, ReadOnlyMemory<byte> id, ReadOnlyMemory<byte> data)
    {
        foreach (var (origin, mark) in Marks)
        {
            var rest = data;
            if (!TryCut(ref rest, Encoding.ASCII.GetByteCount(mark), out var head))
                continue;
            if (!head.Span.SequenceEqual(Encoding.ASCII.GetBytes(mark)))
                continue;
            var end = rest.Span.IndexOf((byte)Separator);
            return end < 0
                ? new ReasoningSeal(ReasoningOrigin.Unknown, default, default)
                : new ReasoningSeal(origin, rest[..end], rest[(end + 1)..]);
        }
        return data.IsEmpty && own != ReasoningOrigin.Content
            ? new ReasoningSeal(ReasoningOrigin.Unknown, id, data)
            : new ReasoningSeal(own, id, data);
    }

    private static bool TryCut(ref ReadOnlyMemory<byte> bytes, int length, out ReadOnlyMemory<byte> head)
    {
        head = default;
        if (bytes.Length <= length || bytes.Span[length] != Separator)
            return false;
        head = bytes[..length];
        bytes = bytes[(length + 1)..];
        return true;
    }
}
