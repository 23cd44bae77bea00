using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Guards JSON that decides about access. RFC 7515 §4 and RFC 7519 §4 let a parser take the last of two members with
/// the same name; another parser takes the first, and the two then disagree about who is asking. So such an object
/// is refused, at any depth, with names compared after unescaping.
/// </summary>
internal static class StrictJson
{
    // Names of the objects that are open at the same time. Real headers and claim sets have some dozens; the bound
    // keeps the search for a duplicate, which is quadratic, harmless.
    private const int MaxNames = 64;

    private const int MaxDepth = 16;

    // Smaller documents need no rented buffer.
    private const int StackLimit = 512;

    /// <summary>For the readers of what has passed: they must not be stricter, or they would throw.</summary>
    public static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>
    /// Whether the text is exactly one JSON object, in valid UTF-8, whose strings are all valid Unicode and which has
    /// no duplicate member. What passes can be read with <see cref="Utf8JsonReader"/> without a single exception.
    /// </summary>
    public static bool IsUnambiguousObject(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
            return false;

        byte[]? rented = null;
        var scratch =
            utf8.Length <= StackLimit
                ? stackalloc byte[StackLimit]
                : (rented = ArrayPool<byte>.Shared.Rent(utf8.Length)).AsSpan();
        try
        {
            return Walk(utf8, scratch);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The reader has no form that reports instead of throwing. InvalidOperationException: half a surrogate
            // pair in an escape. A throw costs about 2 µs here, far less than the signature check that a
            // well-formed forgery is worth.
            return false;
        }
        finally
        {
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private static bool Walk(ReadOnlySpan<byte> utf8, Span<byte> scratch)
    {
        Span<Name> names = stackalloc Name[MaxNames];
        var count = 0;
        var reader = new Utf8JsonReader(utf8, Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;

        while (reader.Read())
        {
            var used = count == 0 ? 0 : names[count - 1].End;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    if (count == MaxNames)
                        return false;
                    var name = new Name(used, used + reader.CopyString(scratch[used..]), reader.CurrentDepth);
                    for (var i = count - 1; i >= 0 && names[i].Depth == name.Depth; i--)
                    {
                        if (scratch[names[i].Start..names[i].End].SequenceEqual(scratch[name.Start..name.End]))
                            return false;
                    }

                    names[count++] = name;
                    break;

                case JsonTokenType.String when reader.ValueIsEscaped:
                    // Only to let the reader check the escapes.
                    reader.CopyString(scratch[used..]);
                    break;

                case JsonTokenType.EndObject:
                    while (count > 0 && names[count - 1].Depth > reader.CurrentDepth)
                        count--;
                    break;
            }
        }

        return true;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Name(int Start, int End, int Depth);
}
