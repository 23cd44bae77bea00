using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

/// <summary>
/// Every vector is run. A vector of a supported algorithm must be answered with its <c>result</c>; HMAC, unsecured and
/// encrypted ones must be refused whatever their result. No vector of these files is "acceptable"; those flagged
/// "Ambiguous" (mixed key sets, duplicate kid) are marked invalid, and we agree.
/// </summary>
public sealed class WycheproofTests
{
    private static readonly string[] SupportedAlgorithms =
    [
        "ES256",
        "ES384",
        "ES512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
    ];

    // Called valid, but each contradicts its own key, so a validator that binds the algorithm to the key must refuse
    // it. 346 and 350: the key says PS256, the token PS384 (RFC 7520 §4.2, where the key has no alg). 347 and 351: the
    // key says "ES521", which does not exist; the curve P-521 belongs to ES512 (RFC 7520 §4.3). With the key's alg put
    // right they verify, which is asserted below.
    private static readonly Dictionary<int, string> RightAlgorithmOfMislabelledKey = new()
    {
        [346] = "PS384",
        [347] = "ES512",
        [350] = "PS384",
        [351] = "ES512",
    };

    // The counts are of the frozen files: a run that reads less or accepts nothing must not pass.
    [Fact]
    public void Every_signature_vector_is_answered_right() =>
        RunAll("json_web_signature_test.json", count: 401, accepted: 32, RightAlgorithmOfMislabelledKey.Keys);

    [Fact]
    public void Every_key_vector_is_answered_right() =>
        RunAll("json_web_key_test.json", count: 26, accepted: 1, mislabelled: []);

    [Fact]
    public void Every_vector_of_mixed_cryptography_is_answered_right() =>
        RunAll("json_web_crypto_test.json", count: 83, accepted: 2, mislabelled: []);

    [Fact]
    public void Vectors_with_a_mislabelled_key_verify_once_the_label_is_right()
    {
        var (_, vectors) = Wycheproof.Read("json_web_signature_test.json");
        var run = 0;
        foreach (var vector in vectors.Where(vector => RightAlgorithmOfMislabelledKey.ContainsKey(vector.Id)))
        {
            Assert.Equal("valid", vector.Result);
            var key = vector.Key.DeepClone();
            key["alg"] = RightAlgorithmOfMislabelledKey[vector.Id];
            Assert.Equal(Payload(vector.Token), Verify(key, vector.Token));
            run++;
        }

        Assert.Equal(4, run);
    }

    [Fact]
    public void A_private_key_of_the_vectors_signs_what_its_public_key_verifies()
    {
        var (_, vectors) = Wycheproof.Read("json_web_signature_test.json");
        var groups = vectors
            .Where(vector => (string?)vector.PrivateKey!["alg"] is "ES256" && (string?)vector.Key["use"] is "sig")
            .DistinctBy(vector => vector.Key)
            .ToList();
        Assert.Equal(2, groups.Count);
        foreach (var vector in groups)
        {
            Assert.True(SigningKey.TryParse(Utf8(vector.PrivateKey!), out var signingKey, out _));
            Assert.True(JsonWebKey.TryParse(Utf8(vector.Key), out var publicKey, out _));
            Assert.Equal(publicKey.Thumbprint, signingKey.PublicKey.Thumbprint);
            Assert.Equal(publicKey.KeyId, signingKey.KeyId);

            var token = Jws.Sign(signingKey, "Payload"u8, "any");
            Assert.True(Jws.TryVerify(token, publicKey, type: null, out var payload, out _));
            Assert.Equal("Payload"u8, payload);
        }
    }

    private static void RunAll(string file, int count, int accepted, IReadOnlyCollection<int> mislabelled)
    {
        var (announced, vectors) = Wycheproof.Read(file);
        var disagreements = new List<string>();
        var acceptedCount = 0;
        foreach (var vector in vectors)
        {
            var isExpected = vector.Result is "valid" && IsSupported(vector.Token) && !mislabelled.Contains(vector.Id);
            var payload = Verify(vector.Key, vector.Token);
            if (payload is not null != isExpected)
                disagreements.Add(vector.ToString());
            if (payload is null)
                continue;

            acceptedCount++;
            Assert.Equal(Payload(vector.Token), payload);
        }

        Assert.Empty(disagreements);
        Assert.Equal(count, announced);
        Assert.Equal(count, vectors.Count);
        Assert.Equal(accepted, acceptedCount);
    }

    /// <summary>The payload of an accepted token; key sets and single keys take all the ways that there are.</summary>
    private static byte[]? Verify(JsonNode key, string token)
    {
        if (key["keys"] is not null)
        {
            return
                JsonWebKeySet.TryParse(Utf8(key), out var set, out _)
                && Jws.TryVerify(token, set, type: null, out var payload, out _)
                ? payload
                : null;
        }

        if (!JsonWebKey.TryParse(Utf8(key), out var single, out var failure))
        {
            Assert.NotEqual(JsonWebKeyFailure.None, failure);
            return null;
        }

        var isVerified = Jws.TryVerify(token, new JsonWebKeySet(single), type: null, out var first, out _);
        Assert.Equal(isVerified, Jws.TryVerify(token, single, type: null, out var second, out _));
        Assert.Equal(first, second);
        return first;
    }

    private static bool IsSupported(string token)
    {
        try
        {
            var header = JsonNode.Parse(Base64Url.DecodeFromChars(token.AsSpan(0, token.IndexOf('.'))));
            return SupportedAlgorithms.Contains((string?)header!["alg"]);
        }
        catch (Exception exception) when (exception is FormatException or JsonException or ArgumentException)
        {
            return false;
        }
    }

    private static byte[] Payload(string token) => Base64Url.DecodeFromChars(token.Split('.')[1]);

    private static byte[] Utf8(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());
}
