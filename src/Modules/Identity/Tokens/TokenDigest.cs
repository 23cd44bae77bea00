using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>A SHA-256 of a token's text: stands for the token without being one.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TokenDigest(UInt128 First, UInt128 Second)
{
    // Longer than the tokens that Verbatim issues.
    private const int MaxShort = 2048;

    /// <summary>The digest of a text.</summary>
    public static TokenDigest Of(ReadOnlySpan<char> text)
    {
        // As bytes: half as much to hash, on every request.
        Span<byte> ascii = stackalloc byte[MaxShort];
        if (text.Length <= MaxShort && Ascii.FromUtf16(text, ascii, out var length) == OperationStatus.Done)
            return OfBytes(ascii[..length]);
        // Told apart, since the memory of such a text may look like that of a shorter one.
        var digest = OfBytes(MemoryMarshal.AsBytes(text));
        return digest with { First = ~digest.First };
    }

    private static TokenDigest OfBytes(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return MemoryMarshal.Read<TokenDigest>(hash);
    }
}
