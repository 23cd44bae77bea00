using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class JwsTests
{
    private static readonly SigningKey Key = SigningKey.Generate();
    private static readonly JsonWebKeySet Keys = new(Key.PublicKey, SigningKey.Generate().PublicKey);

    [Fact]
    public void A_signed_token_names_algorithm_type_and_key_and_carries_the_payload()
    {
        var token = Jws.Sign(Key, "any \0 bytes"u8, "at+jwt");
        var segments = token.Split('.');
        Assert.Equal(3, segments.Length);
        Assert.Equal(
            $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{Key.KeyId}}"}""",
            Encoding.UTF8.GetString(Base64Url.DecodeFromChars(segments[0]))
        );
        Assert.Equal(86, segments[2].Length);

        Assert.True(Jws.TryVerify(token, Keys, "at+jwt", out var payload, out var failure));
        Assert.Equal(TokenFailure.None, failure);
        Assert.Equal("any \0 bytes"u8, payload);
    }

    [Fact]
    public void A_destination_of_the_callers_holds_the_payload()
    {
        var token = Jws.Sign(Key, "payload"u8, "JWT");
        var destination = new byte[Jws.MaxPayloadLength(token.Length)];
        Assert.True(Jws.TryVerify(token, Keys, "JWT", destination, out var written, out _));
        Assert.Equal("payload"u8, destination.AsSpan(0, written));

        Assert.False(Jws.TryVerify(token.AsSpan(..^1), Keys, "JWT", destination, out written, out var failure));
        Assert.Equal(TokenFailure.BadEncoding, failure);
        Assert.Equal(0, written);
    }

    [Theory]
    [InlineData("""{"alg":"ES256","kid":"KID"}""", TokenFailure.None)]
    [InlineData("""{"kid":"KID","alg":"ES256","x":[{"alg":"none"}],"jku":"https://evil.example"}""", TokenFailure.None)]
    [InlineData("""{"\u0061lg":"\u0045S256","k\u0069d":"KID"}""", TokenFailure.None)]
    [InlineData("""{"alg":"ES256","kid":"KID","typ":7}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","kid":["KID"]}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":{"alg":"ES256"},"kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":null,"kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"Alg":"ES256","kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"none","alg":"ES256","kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","\u0061lg":"none","kid":"KID"}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","x":{"y":1,"y":2}}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","x":"\ud800"}""", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID"} """ + "\0", TokenFailure.BadHeader)]
    [InlineData("""["alg","ES256"]""", TokenFailure.BadHeader)]
    [InlineData("ES256", TokenFailure.BadHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","crit":["exp"],"exp":1}""", TokenFailure.CriticalHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","crit":[]}""", TokenFailure.CriticalHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","cr\u0069t":["b64"],"b64":false}""", TokenFailure.CriticalHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","b64":false}""", TokenFailure.CriticalHeader)]
    [InlineData("""{"alg":"ES256","kid":"KID","b64":true}""", TokenFailure.CriticalHeader)]
    [InlineData("""{"alg":"none","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"NONE","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"es256","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"ES256 ","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"ES256K","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"HS256","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"EdDSA","kid":"KID"}""", TokenFailure.UnsupportedAlgorithm)]
    [InlineData("""{"alg":"ES256"}""", TokenFailure.MissingKeyId)]
    [InlineData("""{"alg":"ES256","kid":""}""", TokenFailure.UnknownKey)]
    [InlineData("""{"alg":"ES256","kid":"kid"}""", TokenFailure.UnknownKey)]
    [InlineData("""{"alg":"ES256","kid":"KID "}""", TokenFailure.UnknownKey)]
    [InlineData("""{"alg":"ES384","kid":"KID"}""", TokenFailure.AlgorithmMismatch)]
    [InlineData("""{"alg":"RS256","kid":"KID"}""", TokenFailure.AlgorithmMismatch)]
    public void A_header_is_taken_strictly(string header, object expected)
    {
        var token = Forge.Token(Key, header.Replace("KID", Key.KeyId, StringComparison.Ordinal), "payload");
        Assert.Equal(expected, Failure(token));
    }

    [Fact]
    public void A_key_in_the_header_is_never_used()
    {
        var attacker = SigningKey.Generate();
        var header = JsonNode.Parse(Forge.Header(Key))!;
        header["jwk"] = JsonNode.Parse(attacker.PublicKey.ToUtf8Json());
        Assert.Equal(TokenFailure.BadSignature, Failure(Forge.Token(attacker, header.ToJsonString(), "payload")));
    }

    [Theory]
    [InlineData("at+jwt", "at+jwt", true)]
    [InlineData("AT+JWT", "at+jwt", true)]
    [InlineData("application/at+jwt", "at+jwt", true)]
    [InlineData("Application/At+Jwt", "at+jwt", true)]
    [InlineData("at\\u002Bjwt", "at+jwt", true)]
    [InlineData("JWT", "at+jwt", false)]
    [InlineData("", "at+jwt", false)]
    [InlineData("application/", "at+jwt", false)]
    [InlineData("application/application/at+jwt", "at+jwt", false)]
    [InlineData("text/at+jwt", "at+jwt", false)]
    [InlineData("at+jwt ", "at+jwt", false)]
    [InlineData("at+jwt-and-much-more-that-is-longer-than-any-type-that-makes-sense", "at+jwt", false)]
    public void The_type_is_compared_as_a_media_type(string actual, string required, bool isAccepted)
    {
        var token = Forge.Token(Key, Forge.Header(Key, actual), "payload");
        Assert.Equal(isAccepted, Jws.TryVerify(token, Keys, required, out _, out var failure));
        Assert.Equal(isAccepted ? TokenFailure.None : TokenFailure.WrongType, failure);
        Assert.True(Jws.TryVerify(token, Keys, type: null, out _, out _));
    }

    [Theory]
    [InlineData("", TokenFailure.Malformed)]
    [InlineData(".", TokenFailure.Malformed)]
    [InlineData("..", TokenFailure.Malformed)]
    [InlineData("...", TokenFailure.Malformed)]
    [InlineData("{0}", TokenFailure.Malformed)]
    [InlineData("{0}.{1}", TokenFailure.Malformed)]
    [InlineData("{0}.{1}.", TokenFailure.Malformed)]
    [InlineData(".{1}.{2}", TokenFailure.Malformed)]
    [InlineData("{0}..{2}", TokenFailure.BadSignature)]
    [InlineData("{1}.{0}.{2}", TokenFailure.BadHeader)]
    [InlineData("{0}.{1}.{2}.", TokenFailure.Malformed)]
    [InlineData("{0}.{1}.{2}.{2}", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}.{2}.{2}.{2}", TokenFailure.BadEncoding)]
    [InlineData(".{0}.{1}.{2}", TokenFailure.Malformed)]
    [InlineData(" {0}.{1}.{2}", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}.{2} ", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}.{2}\n", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}.{2}\0", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}.{2}=", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}=.{2}", TokenFailure.BadEncoding)]
    [InlineData("{0}. {1}.{2}", TokenFailure.BadEncoding)]
    [InlineData("{0}.{1}.{2}\u00e9", TokenFailure.Malformed)]
    [InlineData("{0}.{1}.\ud800", TokenFailure.Malformed)]
    [InlineData("{0}.{1}.{2}AA", TokenFailure.BadSignature)]
    [InlineData("{0}.{1}.AAAA", TokenFailure.BadSignature)]
    [InlineData("Bearer {0}.{1}.{2}", TokenFailure.BadEncoding)]
    public void A_token_has_exactly_one_form(string form, object expected)
    {
        var segments = Jws.Sign(Key, "payload"u8, "JWT").Split('.');
        Assert.Equal(expected, Failure(string.Format(CultureInfo.InvariantCulture, form, segments)));
    }

    [Fact]
    public void Json_serialization_is_refused()
    {
        var segments = Jws.Sign(Key, "{}"u8, "JWT").Split('.');
        Assert.Equal(
            TokenFailure.Malformed,
            Failure($$"""{"protected":"{{segments[0]}}","payload":"{{segments[1]}}","signature":"{{segments[2]}}"}""")
        );
    }

    [Fact]
    public void A_signature_over_a_payload_in_bad_base64url_is_refused()
    {
        var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Forge.Header(Key)));
        Assert.Equal(TokenFailure.None, Failure(Forge.Signed(Key, header, "Zm8")));
        foreach (var payload in new[] { "Zm9", "Zm8=", "Zm8 ", "Z", "Zm8.Zm8" })
            Assert.Equal(TokenFailure.BadEncoding, Failure(Forge.Signed(Key, header, payload)));
    }

    [Fact]
    public void An_empty_payload_is_a_payload()
    {
        Assert.True(Jws.TryVerify(Jws.Sign(Key, [], "JWT"), Keys, "JWT", out var payload, out _));
        Assert.Empty(payload);
    }

    [Fact]
    public void The_length_of_a_token_is_bounded()
    {
        var fixedLength = Jws.Sign(Key, [], "JWT").Length;
        var most = new byte[(Jws.MaxLength - fixedLength) / 4 * 3];
        var token = Jws.Sign(Key, most, "JWT");
        Assert.InRange(token.Length, Jws.MaxLength - 4, Jws.MaxLength);
        Assert.True(Jws.TryVerify(token, Keys, "JWT", out var payload, out _));
        Assert.Equal(most, payload);

        Assert.Throws<ArgumentException>(() => Jws.Sign(Key, new byte[most.Length + 3], "JWT"));
        Assert.Equal(TokenFailure.Oversized, Failure(token + new string('A', Jws.MaxLength + 1 - token.Length)));
        Assert.Equal(TokenFailure.Oversized, Failure(new string('.', Jws.MaxLength + 1)));
    }

    [Fact]
    public void The_length_of_a_header_is_bounded()
    {
        var start = $$"""{"alg":"ES256","kid":"{{Key.KeyId}}","x":" """;
        var longest = start + new string('x', 4096 - start.Length - 2) + "\"}";
        Assert.Equal(TokenFailure.None, Failure(Forge.Token(Key, longest, "{}")));
        Assert.Equal(TokenFailure.Oversized, Failure(Forge.Token(Key, longest + " ", "{}")));
    }

    [Fact]
    public void A_chosen_key_needs_no_key_id_but_refuses_the_id_of_another()
    {
        var other = SigningKey.Generate();
        Assert.True(Jws.TryVerify(Forge.Token(Key, """{"alg":"ES256"}""", "p"), Key.PublicKey, null, out _, out _));
        Assert.True(Jws.TryVerify(Jws.Sign(Key, "p"u8, "JWT"), Key.PublicKey, "JWT", out _, out _));
        Assert.False(
            Jws.TryVerify(Forge.Token(Key, Forge.Header(other), "p"), Key.PublicKey, null, out _, out var failure)
        );
        Assert.Equal(TokenFailure.UnknownKey, failure);
    }

    private static TokenFailure Failure(string token)
    {
        var isAccepted = Jws.TryVerify(token, Keys, type: null, out var payload, out var failure);
        Assert.Equal(isAccepted, payload is not null);
        Assert.Equal(isAccepted, failure == TokenFailure.None);
        return failure;
    }
}
