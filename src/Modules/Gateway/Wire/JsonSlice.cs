using System.Runtime.InteropServices;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>Where a value stands in JSON.</summary>
/// <param name="Start">The offset of its first byte.</param>
/// <param name="Length">How many bytes it has.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct JsonSlice(int Start, int Length)
{
    /// <summary>The offset behind its last byte.</summary>
    public int End => Start + Length;

    /// <summary>The token that the reader stands on, with its quotes.</summary>
    public static JsonSlice OfToken(ref Utf8JsonReader reader) =>
        new((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex));

    /// <summary>The whole value whose first token the reader stands on; the reader moves to its last token.</summary>
    public static JsonSlice OfValue(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new JsonSlice(start, (int)reader.BytesConsumed - start);
    }

    /// <summary>The bytes of the value.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> json) => json.Slice(Start, Length);
}
