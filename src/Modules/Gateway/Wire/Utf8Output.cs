using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>Writes bytes that came from outside into JSON of our own.</summary>
internal static class Utf8Output
{
    /// <summary>
    /// Writes the bytes; where they are not UTF-8, U+FFFD stands in place of what is not. System.Text.Json does not look into strings while
    /// it reads them, so such bytes get this far.
    /// </summary>
    public static void WriteUtf8(this IBufferWriter<byte> writer, ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
            writer.Write(bytes);
        else
            writer.Write(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes)));
    }
}
