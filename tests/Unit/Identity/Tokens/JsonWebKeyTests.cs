using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class JsonWebKeyTests
{
    private static readonly Lazy<RSA> SharedRsa = new(() => RSA.Create(2048));

    // RFC 7638 §3.1.
    private const string Rfc7638Key =
        "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS"
        + "oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368Q"
        + "QMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPks"
        + "INHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}";

    public static TheoryData<string> Algorithms =>
        ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

    [Fact]
    public void The_thumbprint_is_that_of_rfc7638()
    {
        var key = Parse(Rfc7638Key);
        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", key.Thumbprint);
        Assert.Equal("2011-04-29", key.KeyId);
        Assert.Equal("RS256", key.Algorithm.Name);
    }

    [Fact]
    public void A_key_without_key_id_is_known_by_its_thumbprint()
    {
        var key = Parse(With(JsonNode.Parse(Rfc7638Key)!, "kid", null));
        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", key.KeyId);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_key_verifies_its_own_algorithm_and_no_other(string name)
    {
        var algorithm = JwsAlgorithm.Find(name)!;
        using var signer = algorithm.Padding is null
            ? ECDsa.Create(algorithm.Curve)
            : (AsymmetricAlgorithm)RSA.Create(2048);
        var key = Parse(Jwk(signer, name));
        Assert.Same(algorithm, key.Algorithm);

        var data = "what was signed"u8.ToArray();
        var signature = Sign(signer, algorithm, data);
        Assert.True(key.Verify(data, signature));
        Assert.False(key.Verify("something else"u8, signature));
        Assert.False(key.Verify(data, signature.AsSpan(..^1)));
        Assert.False(key.Verify(data, [.. signature, 0]));
        Assert.False(key.Verify(data, [0, .. signature]));
        Assert.False(key.Verify(data, []));
        Assert.False(key.Verify(data, new byte[signature.Length]));
        Assert.False(key.Verify(data, Enumerable.Repeat((byte)0xFF, signature.Length).ToArray()));

        foreach (var other in JwsAlgorithm.All)
        {
            if (other != algorithm && other.Padding is null == algorithm.Padding is null)
                Assert.False(key.Verify(data, Sign(signer, other, data)));
        }
    }

    [Fact]
    public void A_signature_in_der_is_refused()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = Parse(Jwk(ecdsa, "ES256"));
        var der = ecdsa.SignData("data"u8, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        Assert.False(key.Verify("data"u8, der));
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_written_key_is_read_again(string name)
    {
        using var ecdsa = JwsAlgorithm.Find(name)!.Padding is null
            ? ECDsa.Create(JwsAlgorithm.Find(name)!.Curve)
            : null;
        var key = Parse(With(Jwk((AsymmetricAlgorithm?)ecdsa ?? SharedRsa.Value, name), "kid", "a \"key\" é"));
        var json = key.ToUtf8Json();
        Assert.True(JsonWebKey.TryParse(json, out var again, out _));
        Assert.Equal((key.KeyId, key.Thumbprint, key.Algorithm), (again.KeyId, again.Thumbprint, again.Algorithm));
        Assert.Equal(json, again.ToUtf8Json());
        Assert.Equal("sig", (string?)JsonNode.Parse(json)!["use"]);
    }

    [Fact]
    public void A_key_without_algorithm_is_bound_to_the_one_of_its_kind()
    {
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Same(JwsAlgorithm.ES384, Parse(With(Jwk(p384, ""), "alg", null)).Algorithm);
        Assert.Same(JwsAlgorithm.RS256, Parse(With(Jwk(SharedRsa.Value, ""), "alg", null)).Algorithm);
    }

    [Theory]
    [InlineData("use", "\"sig\"", JsonWebKeyFailure.None)]
    [InlineData("use", "\"enc\"", JsonWebKeyFailure.WrongUse)]
    [InlineData("use", "\"SIG\"", JsonWebKeyFailure.WrongUse)]
    [InlineData("use", "[\"sig\"]", JsonWebKeyFailure.Malformed)]
    [InlineData("key_ops", "[\"verify\"]", JsonWebKeyFailure.None)]
    [InlineData("key_ops", "[\"sign\",\"verify\"]", JsonWebKeyFailure.None)]
    [InlineData("key_ops", "[]", JsonWebKeyFailure.WrongUse)]
    [InlineData("key_ops", "[\"sign\"]", JsonWebKeyFailure.WrongUse)]
    [InlineData("key_ops", "[\"encrypt\"]", JsonWebKeyFailure.WrongUse)]
    [InlineData("key_ops", "[\"verify\",\"encrypt\"]", JsonWebKeyFailure.WrongUse)]
    [InlineData("key_ops", "[\"verify\",\"verify\"]", JsonWebKeyFailure.WrongUse)]
    [InlineData("key_ops", "\"verify\"", JsonWebKeyFailure.Malformed)]
    [InlineData("key_ops", "[1]", JsonWebKeyFailure.Malformed)]
    [InlineData("alg", "\"ES256\"", JsonWebKeyFailure.None)]
    [InlineData("alg", "\"ES384\"", JsonWebKeyFailure.AlgorithmMismatch)]
    [InlineData("alg", "\"RS256\"", JsonWebKeyFailure.AlgorithmMismatch)]
    [InlineData("alg", "\"HS256\"", JsonWebKeyFailure.UnsupportedAlgorithm)]
    [InlineData("alg", "\"none\"", JsonWebKeyFailure.UnsupportedAlgorithm)]
    [InlineData("alg", "\"es256\"", JsonWebKeyFailure.UnsupportedAlgorithm)]
    [InlineData("alg", "1", JsonWebKeyFailure.Malformed)]
    [InlineData("kty", "\"ec\"", JsonWebKeyFailure.UnsupportedKeyType)]
    [InlineData("kty", "\"RSA\"", JsonWebKeyFailure.MissingMember)]
    [InlineData("kty", "\"OKP\"", JsonWebKeyFailure.UnsupportedKeyType)]
    [InlineData("crv", "\"P-384\"", JsonWebKeyFailure.AlgorithmMismatch)]
    [InlineData("crv", "\"secp256k1\"", JsonWebKeyFailure.UnsupportedCurve)]
    [InlineData("kid", "7", JsonWebKeyFailure.Malformed)]
    [InlineData("x", "\"\"", JsonWebKeyFailure.WrongSize)]
    [InlineData("x", "\"AAAA\"", JsonWebKeyFailure.WrongSize)]
    [InlineData("x", "\"A=\"", JsonWebKeyFailure.Malformed)]
    [InlineData("x", "12", JsonWebKeyFailure.Malformed)]
    [InlineData("d", "\"AAAA\"", JsonWebKeyFailure.ContainsSecret)]
    [InlineData("k", "\"AAAA\"", JsonWebKeyFailure.ContainsSecret)]
    [InlineData("x5c", "[\"anything\",{\"at\":\"all\"}]", JsonWebKeyFailure.None)]
    public void A_member_is_taken_at_its_word(string member, string value, object expected)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = With(Jwk(ecdsa, "ES256"), member, JsonNode.Parse(value));
        Assert.Equal(expected, Failure(jwk.ToJsonString()));
    }

    [Theory]
    [InlineData("kty")]
    [InlineData("crv")]
    [InlineData("x")]
    [InlineData("y")]
    public void An_elliptic_curve_key_needs_all_its_members(string member)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = With(Jwk(ecdsa, "ES256"), member, null);
        Assert.Equal(JsonWebKeyFailure.MissingMember, Failure(jwk.ToJsonString()));
    }

    [Theory]
    [InlineData("P-256", 32)]
    [InlineData("P-384", 48)]
    [InlineData("P-521", 66)]
    public void A_point_off_its_curve_is_refused(string curve, int size)
    {
        var algorithm = JwsAlgorithm.FindByCurve(curve)!;
        using var ecdsa = ECDsa.Create(algorithm.Curve);
        var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
        byte[] swapped = [.. point.X!];
        swapped[^1] ^= 1;
        var zeros = new byte[size];
        byte[] one = [.. new byte[size - 1], 1];
        var ones = Enumerable.Repeat((byte)0xFF, size).ToArray();
        foreach (
            var (x, y) in new[] { (swapped, point.Y!), (zeros, zeros), (one, one), (ones, ones), (point.X!, zeros) }
        )
            Assert.Equal(JsonWebKeyFailure.InvalidKey, Failure(Point(curve, x, y)));

        Assert.Equal(JsonWebKeyFailure.None, Failure(Point(curve, point.X!, point.Y!)));
        Assert.Equal(JsonWebKeyFailure.WrongSize, Failure(Point(curve, [0, .. point.X!], point.Y!)));
        Assert.Equal(JsonWebKeyFailure.WrongSize, Failure(Point(curve, point.X!, point.Y![1..])));
    }

    [Fact]
    public void A_coordinate_that_is_not_reduced_is_refused()
    {
        // FIPS 186-4 D.1.2.3: p of P-256. The point with x = 5 exists; 5 + p names the same point in another way.
        var p = BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;
        var b = BigInteger.Parse(
            "05ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            System.Globalization.NumberStyles.HexNumber,
            System.Globalization.CultureInfo.InvariantCulture
        );
        var x = new BigInteger(5);
        // p = 3 mod 4, so a square root is a power.
        var y = BigInteger.ModPow(((x * x * x) - (3 * x) + b) % p, (p + 1) / 4, p);
        Assert.Equal(JsonWebKeyFailure.None, Failure(Point("P-256", Bytes(x), Bytes(y))));
        Assert.Equal(JsonWebKeyFailure.InvalidKey, Failure(Point("P-256", Bytes(x + p), Bytes(y))));

        static byte[] Bytes(BigInteger value)
        {
            var bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
            return [.. new byte[32 - bytes.Length], .. bytes];
        }
    }

    [Theory]
    [InlineData(1024, JsonWebKeyFailure.WeakKey)]
    [InlineData(2040, JsonWebKeyFailure.WeakKey)]
    [InlineData(3072, JsonWebKeyFailure.None)]
    public void A_short_rsa_key_is_refused(int bits, object expected)
    {
        using var rsa = RSA.Create(bits);
        Assert.Equal(expected, Failure(Jwk(rsa, "RS256").ToJsonString()));
    }

    [Fact]
    public void A_modulus_is_judged_by_its_bits_and_form()
    {
        var modulus = SharedRsa.Value.ExportParameters(includePrivateParameters: false).Modulus!;
        // 2047 bits in 256 bytes.
        Assert.Equal(JsonWebKeyFailure.WeakKey, Failure(Rsa([0x7F, .. modulus[1..]], [1, 0, 1])));
        Assert.Equal(
            JsonWebKeyFailure.WeakKey,
            Failure(Rsa([.. modulus[..^1], (byte)(modulus[^1] & 0xFE)], [1, 0, 1]))
        );
        Assert.Equal(JsonWebKeyFailure.WrongSize, Failure(Rsa([0, .. modulus], [1, 0, 1])));
        Assert.Equal(JsonWebKeyFailure.WrongSize, Failure(Rsa([1, .. new byte[1023], 1], [1, 0, 1])));
        Assert.Equal(JsonWebKeyFailure.WrongSize, Failure(Rsa([], [1, 0, 1])));
        Assert.Equal(JsonWebKeyFailure.None, Failure(Rsa(modulus, [1, 0, 1])));
    }

    [Theory]
    [InlineData("", JsonWebKeyFailure.WrongSize)]
    [InlineData("00", JsonWebKeyFailure.WrongSize)]
    [InlineData("01", JsonWebKeyFailure.WeakKey)]
    [InlineData("03", JsonWebKeyFailure.WeakKey)]
    [InlineData("ffff", JsonWebKeyFailure.WeakKey)]
    [InlineData("010000", JsonWebKeyFailure.WeakKey)]
    [InlineData("010002", JsonWebKeyFailure.WeakKey)]
    [InlineData("00010001", JsonWebKeyFailure.WrongSize)]
    [InlineData("010001", JsonWebKeyFailure.None)]
    [InlineData("010000000000000001", JsonWebKeyFailure.WrongSize)]
    public void A_public_exponent_is_odd_and_large_enough(string exponent, object expected)
    {
        var modulus = SharedRsa.Value.ExportParameters(includePrivateParameters: false).Modulus!;
        Assert.Equal(expected, Failure(Rsa(modulus, Convert.FromHexString(exponent))));
    }

    [Fact]
    public void A_modulus_of_the_roca_generator_is_refused()
    {
        // Any number with the fingerprint will do: a power of 65537 modulo the product of the small primes.
        var product = Enumerable
            .Range(2, 166)
            .Where(n => Enumerable.Range(2, n - 2).All(divisor => n % divisor != 0))
            .Aggregate(BigInteger.One, (product, prime) => product * prime);
        var modulus =
            BigInteger.ModPow(65537, 123_456, product) + (((BigInteger.One << 2047) / product * product) + product);
        Assert.Equal(JsonWebKeyFailure.WeakKey, Failure(Rsa(Bytes(modulus), [1, 0, 1])));
        Assert.True(RocaFingerprint.Matches(Bytes(modulus)));
        Assert.False(RocaFingerprint.Matches(Bytes(modulus + 2)));
        Assert.False(RocaFingerprint.Matches(SharedRsa.Value.ExportParameters(false).Modulus));

        static byte[] Bytes(BigInteger value) => value.ToByteArray(isUnsigned: true, isBigEndian: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"kty\":\"EC\",\"kty\":\"EC\"}")]
    public void What_is_not_an_unambiguous_object_is_refused(string json) =>
        Assert.Equal(JsonWebKeyFailure.Malformed, Failure(json));

    [Fact]
    public void An_oversized_key_is_refused() =>
        Assert.Equal(JsonWebKeyFailure.Oversized, Failure($$"""{"kty":"{{new string('x', 16 * 1024)}}"}"""));

    internal static JsonNode Jwk(AsymmetricAlgorithm key, string algorithm)
    {
        var jwk = key switch
        {
            ECDsa ecdsa => Jwk(ecdsa.ExportParameters(includePrivateParameters: false)),
            RSA rsa => Jwk(rsa.ExportParameters(includePrivateParameters: false)),
            _ => throw new ArgumentException("Neither ECDSA nor RSA.", nameof(key)),
        };
        jwk["alg"] = algorithm;
        return jwk;
    }

    internal static JsonNode With(JsonNode jwk, string member, JsonNode? value)
    {
        if (value is null)
            jwk.AsObject().Remove(member);
        else
            jwk[member] = value;
        return jwk;
    }

    private static JsonObject Jwk(ECParameters parameters) =>
        JsonNode
            .Parse(
                Point(
                    $"P-{(parameters.Q.X!.Length == 66 ? 521 : 8 * parameters.Q.X.Length)}",
                    parameters.Q.X,
                    parameters.Q.Y!
                )
            )!
            .AsObject();

    private static JsonObject Jwk(RSAParameters parameters) =>
        JsonNode.Parse(Rsa(parameters.Modulus!, parameters.Exponent!))!.AsObject();

    private static string Point(string curve, byte[] x, byte[] y) =>
        $$"""
            {"kty":"EC","crv":"{{curve}}","x":"{{Base64Url.EncodeToString(x)}}","y":"{{Base64Url.EncodeToString(y)}}"}
            """;

    private static string Rsa(byte[] modulus, byte[] exponent) =>
        $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(modulus)}}","e":"{{Base64Url.EncodeToString(exponent)}}"}""";

    private static byte[] Sign(AsymmetricAlgorithm key, JwsAlgorithm algorithm, byte[] data) =>
        key switch
        {
            ECDsa ecdsa => ecdsa.SignData(data, algorithm.Hash),
            RSA rsa => rsa.SignData(data, algorithm.Hash, algorithm.Padding!),
            _ => throw new ArgumentException("Neither ECDSA nor RSA.", nameof(key)),
        };

    private static JsonWebKey Parse(JsonNode jwk) => Parse(jwk.ToJsonString());

    private static JsonWebKey Parse(string json)
    {
        Assert.True(JsonWebKey.TryParse(Encoding.UTF8.GetBytes(json), out var key, out var failure));
        Assert.Equal(JsonWebKeyFailure.None, failure);
        return key;
    }

    private static JsonWebKeyFailure Failure(string json)
    {
        var isParsed = JsonWebKey.TryParse(Encoding.UTF8.GetBytes(json), out var key, out var failure);
        Assert.Equal(isParsed, key is not null);
        Assert.Equal(isParsed, failure == JsonWebKeyFailure.None);
        return failure;
    }
}
