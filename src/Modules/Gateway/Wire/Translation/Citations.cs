using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>References to pages, which the wires write alike.</summary>
internal static class Citations
{
    /// <summary>The members of an object that has an address and a title; the reader stands before the first.</summary>
    public static Citation Read(scoped ref Utf8JsonReader reader)
    {
        var url = default(ReadOnlySpan<byte>);
        var title = default(ReadOnlySpan<byte>);
        var start = 0;
        var end = 0;
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "url"u8))
                url = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "title"u8))
                title = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "start_index"u8))
                start = JsonReading.Number(ref reader) ?? 0;
            else if (JsonNames.Is(ref reader, "end_index"u8))
                end = JsonReading.Number(ref reader) ?? 0;
            else
                reader.Skip();
        }
        return new Citation(url.ToArray(), title.ToArray(), start, end);
    }
}
