using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class JsonWebKeySetTests
{
    private static readonly SigningKey First = SigningKey.Generate();
    private static readonly SigningKey Second = SigningKey.Generate();

    // RFC 7517 appendix A.1: the elliptic curve key is for encryption.
    private const string Rfc7517Set =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
        + "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"use\":\"enc\",\"kid\":\"1\"},{\"kty\":\"RSA\",\"n\":"
        + "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZC"
        + "iFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnY"
        + "b9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0L"
        + "s1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}]}";

    [Fact]
    public void The_example_of_rfc7517_has_one_key_that_verifies()
    {
        var set = Parse(Rfc7517Set);
        Assert.Equal("2011-04-29", Assert.Single(set.Keys.ToArray()).KeyId);
        Assert.NotNull(set.Find("2011-04-29"));
        Assert.Null(set.Find("1"));
    }

    [Fact]
    public void A_written_set_is_read_again()
    {
        var set = new JsonWebKeySet(First.PublicKey, Second.PublicKey);
        var again = Parse(Encoding.UTF8.GetString(set.ToUtf8Json()));
        Assert.Equal($"{First.KeyId} {Second.KeyId}", string.Join(' ', again.Keys.ToArray().Select(key => key.KeyId)));
        Assert.Equal(set.ToUtf8Json(), again.ToUtf8Json());
        Assert.DoesNotContain("\"d\"", Encoding.UTF8.GetString(set.ToUtf8Json()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""")]
    [InlineData("""{"kty":"EC"}""")]
    [InlineData("""{"kty":7}""")]
    [InlineData("""{}""")]
    public void A_key_that_cannot_be_used_is_left_out(string jwk)
    {
        var set = Parse($$"""{"more":{"keys":[]},"keys":[{{jwk}},{{Jwk(First)}}],"other":[1]}""");
        Assert.Equal(First.KeyId, Assert.Single(set.Keys.ToArray()).KeyId);
        Assert.Equal(JsonWebKeyFailure.NoUsableKey, Failure($$"""{"keys":[{{jwk}}]}"""));
    }

    [Fact]
    public void A_secret_refuses_the_whole_set()
    {
        var secret = Encoding.UTF8.GetString(Second.ExportPrivateJwk());
        Assert.Equal(JsonWebKeyFailure.ContainsSecret, Failure($$"""{"keys":[{{Jwk(First)}},{{secret}}]}"""));
        Assert.Equal(
            JsonWebKeyFailure.ContainsSecret,
            Failure($$"""{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMko"},{{Jwk(First)}}]}""")
        );
    }

    [Fact]
    public void Two_keys_with_the_same_key_id_refuse_the_whole_set()
    {
        var other = JsonNode.Parse(Jwk(Second))!;
        other["kid"] = First.KeyId;
        Assert.Equal(
            JsonWebKeyFailure.DuplicateKeyId,
            Failure($$"""{"keys":[{{Jwk(First)}},{{other.ToJsonString()}}]}""")
        );
        Assert.Throws<ArgumentException>(() => new JsonWebKeySet(First.PublicKey, First.PublicKey));
    }

    [Theory]
    [InlineData("", JsonWebKeyFailure.Malformed)]
    [InlineData("[]", JsonWebKeyFailure.Malformed)]
    [InlineData("{}", JsonWebKeyFailure.MissingMember)]
    [InlineData("""{"keys":[]}""", JsonWebKeyFailure.NoUsableKey)]
    [InlineData("""{"keys":{}}""", JsonWebKeyFailure.Malformed)]
    [InlineData("""{"keys":null}""", JsonWebKeyFailure.Malformed)]
    [InlineData("""{"keys":[1]}""", JsonWebKeyFailure.Malformed)]
    [InlineData("""{"keys":[[]]}""", JsonWebKeyFailure.Malformed)]
    [InlineData("""{"keys":[],"keys":[]}""", JsonWebKeyFailure.Malformed)]
    [InlineData("""{"keys":[{"kty":"EC","kty":"EC"}]}""", JsonWebKeyFailure.Malformed)]
    public void What_is_not_a_key_set_is_refused(string json, object expected) => Assert.Equal(expected, Failure(json));

    [Fact]
    public void An_oversized_set_is_refused() =>
        Assert.Equal(JsonWebKeyFailure.Oversized, Failure(new string(' ', (256 * 1024) + 1)));

    [Fact]
    public void A_set_of_an_identity_provider_verifies_each_token_with_the_key_it_names()
    {
        using var rsa = RSA.Create(2048);
        var rsaKey = JsonWebKeyTests.Jwk(rsa, "PS256");
        rsaKey["kid"] = "rsa";
        var set = Parse($$"""{"keys":[{{Jwk(First)}},{{rsaKey.ToJsonString()}},{{Jwk(Second)}}]}""");
        foreach (var key in new[] { First, Second })
            Assert.True(Jws.TryVerify(Jws.Sign(key, "{}"u8, "JWT"), set, "JWT", out _, out _));

        Assert.Equal("rsa", set.Find("rsa")!.KeyId);
        Assert.False(Jws.TryVerify(Jws.Sign(SigningKey.Generate(), "{}"u8, "JWT"), set, "JWT", out _, out var failure));
        Assert.Equal(TokenFailure.UnknownKey, failure);
    }

    private static string Jwk(SigningKey key) => Encoding.UTF8.GetString(key.PublicKey.ToUtf8Json());

    private static JsonWebKeySet Parse(string json)
    {
        Assert.True(JsonWebKeySet.TryParse(Encoding.UTF8.GetBytes(json), out var set, out var failure));
        Assert.Equal(JsonWebKeyFailure.None, failure);
        return set;
    }

    private static JsonWebKeyFailure Failure(string json)
    {
        Assert.False(JsonWebKeySet.TryParse(Encoding.UTF8.GetBytes(json), out var set, out var failure));
        Assert.Null(set);
        return failure;
    }
}
