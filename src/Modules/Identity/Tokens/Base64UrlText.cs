using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// The one canonical base64url form (RFC 7515 §2, RFC 4648 §3.5 and §5). The framework's decoder also takes white
/// space and padding; here every change of a character must change the bytes or be refused, so that a token has one
/// spelling.
/// </summary>
internal static class Base64UrlText
{
    private static readonly SearchValues<byte> Alphabet = SearchValues.Create(Digits);

    private static ReadOnlySpan<byte> Digits => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8;

    /// <summary>Whether the text is the only encoding of some bytes.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> text)
    {
        if (text.ContainsAnyExcept(Alphabet))
            return false;

        // The last digit of an incomplete group carries bits that no byte takes up; they must be zero.
        return (text.Length % 4) switch
        {
            0 => true,
            2 => (Digits.IndexOf(text[^1]) & 0b1111) == 0,
            3 => (Digits.IndexOf(text[^1]) & 0b11) == 0,
            _ => false,
        };
    }

    /// <summary>Decodes canonical text into a destination that is large enough, and returns the bytes written.</summary>
    public static int Decode(ReadOnlySpan<byte> canonical, Span<byte> destination)
    {
        var status = Base64Url.DecodeFromUtf8(canonical, destination, out _, out var written);
        return status == OperationStatus.Done
            ? written
            : throw new ArgumentException("The text is not canonical or the destination too short.", nameof(canonical));
    }

    /// <summary>Decodes text when it is canonical.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (!IsCanonical(text))
            return false;

        bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        Decode(text, bytes);
        return true;
    }
}
