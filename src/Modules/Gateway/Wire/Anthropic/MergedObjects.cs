using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>Merges objects that are on their own.</summary>
internal static class MergedObjects
{
    /// <summary>Merges an object that has been found well-formed.</summary>
    public static void MergeObject(this MergedJson target, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        target.Merge(ref reader, json, MergedShape.Plain);
    }
}
