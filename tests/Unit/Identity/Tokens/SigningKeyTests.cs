using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class SigningKeyTests
{
    [Fact]
    public void A_new_key_is_named_by_its_thumbprint()
    {
        var key = SigningKey.Generate();
        Assert.Equal(key.PublicKey.Thumbprint, key.KeyId);
        Assert.Same(JwsAlgorithm.ES256, key.PublicKey.Algorithm);
        Assert.NotEqual(key.KeyId, SigningKey.Generate().KeyId, StringComparer.Ordinal);
    }

    [Fact]
    public void An_exported_key_is_the_same_key_when_it_is_read()
    {
        var key = SigningKey.Generate();
        Assert.True(SigningKey.TryParse(key.ExportPrivateJwk(), out var again, out _));
        Assert.Equal(key.KeyId, again.KeyId);
        Assert.Equal(key.ExportPrivateJwk(), again.ExportPrivateJwk());

        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        Assert.Equal(64, again.Sign("data"u8, signature));
        Assert.True(key.PublicKey.Verify("data"u8, signature));
    }

    [Fact]
    public void A_stored_key_id_is_kept()
    {
        var jwk = Exported(SigningKey.Generate());
        jwk["kid"] = "2026-01";
        Assert.Equal(JsonWebKeyFailure.None, Failure(jwk));
        Assert.True(SigningKey.TryParse(Encoding.UTF8.GetBytes(jwk.ToJsonString()), out var key, out _));
        Assert.Equal("2026-01", key.KeyId);
        Assert.True(Jws.TryVerify(Jws.Sign(key, "{}"u8, "JWT"), new JsonWebKeySet(key.PublicKey), "JWT", out _, out _));
    }

    [Fact]
    public void A_private_part_of_another_key_is_refused()
    {
        var jwk = Exported(SigningKey.Generate());
        jwk["d"] = (string?)Exported(SigningKey.Generate())["d"];
        Assert.Equal(JsonWebKeyFailure.InvalidKey, Failure(jwk));
    }

    [Theory]
    [InlineData("d", null, JsonWebKeyFailure.MissingSecret)]
    [InlineData("d", "AAAA", JsonWebKeyFailure.WrongSize)]
    [InlineData("d", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", JsonWebKeyFailure.InvalidKey)]
    [InlineData("d", "not base64url!", JsonWebKeyFailure.Malformed)]
    [InlineData("kty", "RSA", JsonWebKeyFailure.UnsupportedKeyType)]
    [InlineData("kty", null, JsonWebKeyFailure.MissingMember)]
    [InlineData("crv", "P-999", JsonWebKeyFailure.UnsupportedCurve)]
    [InlineData("alg", "ES384", JsonWebKeyFailure.AlgorithmMismatch)]
    [InlineData("use", "enc", JsonWebKeyFailure.WrongUse)]
    public void A_key_that_cannot_sign_is_refused(string member, string? value, object expected) =>
        Assert.Equal(expected, Failure(JsonWebKeyTests.With(Exported(SigningKey.Generate()), member, value)));

    [Fact]
    public void A_key_on_another_curve_is_refused()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var jwk = JsonWebKeyTests.Jwk(ecdsa, "ES384");
        jwk["d"] = Base64Url.EncodeToString(ecdsa.ExportParameters(includePrivateParameters: true).D);
        Assert.Equal(JsonWebKeyFailure.UnsupportedCurve, Failure(jwk));
    }

    [Theory]
    [InlineData("""["sign"]""", JsonWebKeyFailure.None)]
    [InlineData("""["sign","verify"]""", JsonWebKeyFailure.None)]
    [InlineData("""["verify"]""", JsonWebKeyFailure.WrongUse)]
    [InlineData("""["sign, verify"]""", JsonWebKeyFailure.WrongUse)]
    public void Key_operations_must_allow_to_sign(string operations, object expected) =>
        Assert.Equal(
            expected,
            Failure(JsonWebKeyTests.With(Exported(SigningKey.Generate()), "key_ops", JsonNode.Parse(operations)))
        );

    [Fact]
    public async Task One_key_signs_and_verifies_on_many_threads_at_once()
    {
        var key = SigningKey.Generate();
        var keys = new JsonWebKeySet(key.PublicKey);
        var failures = new ConcurrentBag<TokenFailure>();
        await Parallel.ForAsync(
            0,
            400,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            (i, _) =>
            {
                var payload = BitConverter.GetBytes(i);
                var token = Jws.Sign(key, payload, "JWT");
                if (!Jws.TryVerify(token, keys, "JWT", out var read, out var failure) || !read.SequenceEqual(payload))
                    failures.Add(failure);
                return ValueTask.CompletedTask;
            }
        );
        Assert.Empty(failures);
    }

    private static JsonNode Exported(SigningKey key) => JsonNode.Parse(key.ExportPrivateJwk())!;

    private static JsonWebKeyFailure Failure(JsonNode jwk)
    {
        var isParsed = SigningKey.TryParse(Encoding.UTF8.GetBytes(jwk.ToJsonString()), out var key, out var failure);
        Assert.Equal(isParsed, key is not null);
        return failure;
    }
}
