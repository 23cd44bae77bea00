using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>
/// Secrets that mean nothing by themselves: a few letters that tell their kind, and 43 letters and digits (256 bits). With so much chance in
/// them a plain SHA-256 cannot be searched backwards, so no slow hash is needed on the request path.
/// </summary>
internal static class OpaqueSecret
{
    /// <summary>The longest text that is looked at.</summary>
    public const int MaxLength = 200;

    private const int RandomLength = 43;
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New(string start) => start + RandomNumberGenerator.GetString(Alphabet, RandomLength);

    public static bool LooksLikeOne(ReadOnlySpan<char> text, string start) =>
        text.Length <= MaxLength && text.StartsWith(start, StringComparison.Ordinal);
}

/// <summary>A SHA-256 as a value, so that it can be the key of a dictionary without an allocation.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct SecretHash(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>The hash of a secret.</summary>
    /// <exception cref="ArgumentException">It is longer than <see cref="OpaqueSecret.MaxLength"/>.</exception>
    public static SecretHash Of(ReadOnlySpan<char> secret)
    {
        Span<byte> utf8 = stackalloc byte[OpaqueSecret.MaxLength * 3];
        var length = Encoding.UTF8.GetBytes(secret, utf8);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..length], hash);
        return MemoryMarshal.Read<SecretHash>(hash);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        MemoryMarshal.Write(bytes, this);
        return bytes;
    }
}
