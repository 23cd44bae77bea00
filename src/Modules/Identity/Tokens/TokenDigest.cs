using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>The SHA-256 of a token's text: stands for the token without being one.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TokenDigest(UInt128 First, UInt128 Second)
{
    /// <summary>The digest of a text.</summary>
    public static TokenDigest Of(ReadOnlySpan<char> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(text), hash);
        return MemoryMarshal.Read<TokenDigest>(hash);
    }
}
