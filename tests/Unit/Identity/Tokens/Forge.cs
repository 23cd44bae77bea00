using System.Buffers.Text;
using System.Text;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

/// <summary>Makes tokens that <see cref="Jws.Sign"/> would never make.</summary>
internal static class Forge
{
    /// <summary>A token with exactly this header and payload, under a valid signature.</summary>
    public static string Token(SigningKey key, string header, string payload) =>
        Token(key, Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload));

    /// <summary>A token with exactly this header and payload, under a valid signature.</summary>
    public static string Token(SigningKey key, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        Signed(key, Base64Url.EncodeToString(header), Base64Url.EncodeToString(payload));

    /// <summary>A valid signature over segments that need not even be base64url.</summary>
    public static string Signed(SigningKey key, string header, string payload)
    {
        var signature = new byte[SigningKey.SignatureSize];
        key.Sign(Encoding.UTF8.GetBytes($"{header}.{payload}"), signature);
        return $"{header}.{payload}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>The header that <see cref="Jws.Sign"/> writes.</summary>
    public static string Header(SigningKey key, string type = AccessToken.Type) =>
        $$"""{"alg":"ES256","typ":"{{type}}","kid":"{{key.KeyId}}"}""";
}
