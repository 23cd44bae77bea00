using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>Compares property names as they stand in a reader, without making strings of them.</summary>
internal static class JsonNames
{
    /// <summary>Whether the name at the reader is this one, after unescaping. Never throws.</summary>
    public static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan.SequenceEqual(name);
        try
        {
            return reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            // An escape that is half of a surrogate pair: JSON by its grammar, but no name that is compared with.
            return false;
        }
    }
}
