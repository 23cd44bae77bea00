using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// JSON Web Signatures (RFC 7515) in compact serialization, verified the way RFC 8725 advises: the key set decides
/// which key and thereby which algorithm; the token may only name them. <c>jwk</c>, <c>jku</c>, <c>x5c</c> and the like
/// are never looked at, extensions that demand understanding are refused.
/// </summary>
/// <remarks>
/// The text of a token has one spelling, but ECDSA signatures have two: (r, s) and (r, -s) both verify. So a token is
/// recognized by its <c>jti</c>, never by its text.
/// </remarks>
internal static class Jws
{
    /// <summary>The longest token that is looked at, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    // Decoded. The header is the one part that is parsed before the signature speaks for it; this bounds the work that
    // a forgery can cause to about that of a verification.
    private const int MaxHeaderLength = 4 * 1024;

    /// <summary>The most bytes that the payload of a token with this many characters can have.</summary>
    public static int MaxPayloadLength(int tokenLength) => Base64Url.GetMaxDecodedLength(tokenLength);

    /// <summary>Signs a payload, with <c>alg</c>, <c>typ</c> and <c>kid</c> in the header.</summary>
    /// <param name="key">The key to sign with.</param>
    /// <param name="payload">Any bytes; usually a JSON object of claims.</param>
    /// <param name="type">The media type for <c>typ</c>, without "application/" (RFC 7515 §4.1.9).</param>
    /// <exception cref="ArgumentException">The token would be longer than <see cref="MaxLength"/>.</exception>
    public static string Sign(SigningKey key, ReadOnlySpan<byte> payload, string type)
    {
        var header = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(header, JsonWebKey.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("alg"u8, JwsAlgorithm.ES256.Name);
            writer.WriteString("typ"u8, type);
            writer.WriteString("kid"u8, key.KeyId);
            writer.WriteEndObject();
        }

        var headerLength = Base64Url.GetEncodedLength(header.WrittenCount);
        var signedLength = headerLength + 1 + Base64Url.GetEncodedLength(payload.Length);
        var token = new byte[signedLength + 1 + Base64Url.GetEncodedLength(SigningKey.SignatureSize)];
        if (token.Length > MaxLength)
            throw new ArgumentException($"A token of {token.Length} characters is too long.", nameof(payload));

        Base64Url.EncodeToUtf8(header.WrittenSpan, token);
        token[headerLength] = (byte)'.';
        Base64Url.EncodeToUtf8(payload, token.AsSpan(headerLength + 1));

        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        key.Sign(token.AsSpan(0, signedLength), signature);
        token[signedLength] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token.AsSpan(signedLength + 1));
        return Encoding.ASCII.GetString(token);
    }

    /// <summary>
    /// Verifies a token whose header names one of the keys by <c>kid</c>, and decodes the payload. The payload may be
    /// any bytes: before it is read as claims it must pass <see cref="StrictJson"/>. Never throws on input.
    /// </summary>
    /// <param name="token">The token in compact serialization.</param>
    /// <param name="keys">The trusted keys.</param>
    /// <param name="type">The <c>typ</c> to insist on (RFC 8725 §3.11), or null to take any or none.</param>
    /// <param name="payload">The payload when the token was accepted.</param>
    /// <param name="failure">Why the token was refused.</param>
    public static bool TryVerify(
        ReadOnlySpan<char> token,
        JsonWebKeySet keys,
        string? type,
        [NotNullWhen(true)] out byte[]? payload,
        out TokenFailure failure
    ) => TryVerify(token, keys.Keys, isKeyChosen: false, type, out payload, out failure);

    /// <summary>
    /// Verifies a token with the one key that the caller has chosen. A <c>kid</c> is not needed then; one that names
    /// another key refuses the token. Never throws on input.
    /// </summary>
    /// <param name="token">The token in compact serialization.</param>
    /// <param name="key">The trusted key.</param>
    /// <param name="type">The <c>typ</c> to insist on (RFC 8725 §3.11), or null to take any or none.</param>
    /// <param name="payload">The payload when the token was accepted.</param>
    /// <param name="failure">Why the token was refused.</param>
    public static bool TryVerify(
        ReadOnlySpan<char> token,
        JsonWebKey key,
        string? type,
        [NotNullWhen(true)] out byte[]? payload,
        out TokenFailure failure
    ) => TryVerify(token, new ReadOnlySpan<JsonWebKey>(in key), isKeyChosen: true, type, out payload, out failure);

    /// <summary>
    /// The same without an allocation, for the request path: decodes into a destination of at least
    /// <see cref="MaxPayloadLength"/> bytes, of which the payload fills the first <paramref name="written"/>.
    /// </summary>
    public static bool TryVerify(
        ReadOnlySpan<char> token,
        JsonWebKeySet keys,
        string? type,
        Span<byte> destination,
        out int written,
        out TokenFailure failure
    )
    {
        failure = Verify(token, keys.Keys, isKeyChosen: false, type, destination, out written);
        return failure == TokenFailure.None;
    }

    private static bool TryVerify(
        ReadOnlySpan<char> token,
        ReadOnlySpan<JsonWebKey> keys,
        bool isKeyChosen,
        string? type,
        [NotNullWhen(true)] out byte[]? payload,
        out TokenFailure failure
    )
    {
        payload = null;
        if (token.Length > MaxLength)
        {
            failure = TokenFailure.Oversized;
            return false;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(MaxPayloadLength(token.Length));
        try
        {
            failure = Verify(token, keys, isKeyChosen, type, buffer, out var written);
            if (failure != TokenFailure.None)
                return false;

            payload = buffer[..written];
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static TokenFailure Verify(
        ReadOnlySpan<char> token,
        ReadOnlySpan<JsonWebKey> keys,
        bool isKeyChosen,
        string? type,
        Span<byte> destination,
        out int written
    )
    {
        written = 0;
        if (token.Length > MaxLength)
            return TokenFailure.Oversized;

        // The token in ASCII, and behind it room for the decoded header, which later gives way to the signature.
        var rented = ArrayPool<byte>.Shared.Rent(2 * token.Length);
        try
        {
            var ascii = rented.AsSpan(0, token.Length);
            return Ascii.FromUtf16(token, ascii, out _) == OperationStatus.Done
                ? Verify(ascii, rented.AsSpan(token.Length), keys, isKeyChosen, type, destination, out written)
                : TokenFailure.Malformed;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private static TokenFailure Verify(
        ReadOnlySpan<byte> token,
        Span<byte> scratch,
        ReadOnlySpan<JsonWebKey> keys,
        bool isKeyChosen,
        string? type,
        Span<byte> destination,
        out int written
    )
    {
        written = 0;
        var headerEnd = token.IndexOf((byte)'.');
        var payloadEnd = token.LastIndexOf((byte)'.');
        if (headerEnd < 0 || headerEnd == payloadEnd)
            return TokenFailure.Malformed;

        // Only the payload may be empty. A third dot is no base64url digit and fails below.
        var header = token[..headerEnd];
        var payload = token[(headerEnd + 1)..payloadEnd];
        var signature = token[(payloadEnd + 1)..];
        if (header.IsEmpty || signature.IsEmpty)
            return TokenFailure.Malformed;
        if (Base64Url.GetMaxDecodedLength(header.Length) > MaxHeaderLength)
            return TokenFailure.Oversized;
        if (
            !Base64UrlText.IsCanonical(header)
            || !Base64UrlText.IsCanonical(payload)
            || !Base64UrlText.IsCanonical(signature)
        )
            return TokenFailure.BadEncoding;

        var json = scratch[..Base64UrlText.Decode(header, scratch)];
        var failure = JwsHeader.Read(json, keys, isKeyChosen, type, out var key);
        if (failure != TokenFailure.None)
            return failure;

        var bytes = scratch[..Base64UrlText.Decode(signature, scratch)];
        if (!key!.Verify(token[..payloadEnd], bytes))
            return TokenFailure.BadSignature;

        written = Base64UrlText.Decode(payload, destination);
        return TokenFailure.None;
    }
}
