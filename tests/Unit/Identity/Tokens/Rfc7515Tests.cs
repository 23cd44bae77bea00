using System.Text;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

/// <summary>The examples of RFC 7515 appendix A, none of which has a <c>kid</c>.</summary>
public sealed class Rfc7515Tests
{
    private const string Claims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

    private const string Hs256Token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private const string Hs256Key = """
        {"kty":"oct",
         "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
        """;

    private const string Rs256Token =
        "eyJhbGciOiJSUzI1NiJ9"
        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
        + "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
        + "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
        + "wlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    private const string Rs256Key =
        "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEz"
        + "P1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
        + "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NA"
        + "co9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}";

    private const string Es256Token =
        "eyJhbGciOiJFUzI1NiJ9"
        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    private const string Es256Key = """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
        """;

    private const string Es512Token =
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"
        + ".AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgo"
        + "XD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";

    private const string Es512Key = """
        {"kty":"EC","crv":"P-521",
         "x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
         "y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}
        """;

    private const string UnsecuredToken =
        "eyJhbGciOiJub25lIn0"
        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

    [Theory]
    [InlineData(Rs256Token, Rs256Key, Claims)]
    [InlineData(Es256Token, Es256Key, Claims)]
    [InlineData(Es512Token, Es512Key, "Payload")]
    public void A_signed_example_verifies_with_its_own_key(string token, string jwk, string payload)
    {
        Assert.True(Jws.TryVerify(token, Key(jwk), type: null, out var bytes, out var failure));
        Assert.Equal(TokenFailure.None, failure);
        Assert.Equal(payload, Encoding.UTF8.GetString(bytes));
    }

    [Theory]
    [InlineData(Rs256Token, Es256Key, TokenFailure.AlgorithmMismatch)]
    [InlineData(Es256Token, Rs256Key, TokenFailure.AlgorithmMismatch)]
    [InlineData(Es256Token, Es512Key, TokenFailure.AlgorithmMismatch)]
    [InlineData(Hs256Token, Es256Key, TokenFailure.UnsupportedAlgorithm)]
    [InlineData(Hs256Token, Rs256Key, TokenFailure.UnsupportedAlgorithm)]
    // RFC 7515 A.5, made to look as if it were signed in the second case.
    [InlineData(UnsecuredToken, Es256Key, TokenFailure.Malformed)]
    [InlineData(UnsecuredToken + "AAAA", Es256Key, TokenFailure.UnsupportedAlgorithm)]
    public void An_example_is_refused_with_a_key_of_another_kind(string token, string jwk, object expected)
    {
        Assert.False(Jws.TryVerify(token, Key(jwk), type: null, out var payload, out var failure));
        Assert.Equal(expected, failure);
        Assert.Null(payload);
    }

    [Fact]
    public void The_symmetric_key_is_no_key() =>
        Assert.False(JsonWebKey.TryParse(Encoding.UTF8.GetBytes(Hs256Key), out _, out _));

    [Fact]
    public void A_key_set_needs_a_key_id_in_the_token()
    {
        Assert.False(Jws.TryVerify(Es256Token, new JsonWebKeySet(Key(Es256Key)), type: null, out _, out var failure));
        Assert.Equal(TokenFailure.MissingKeyId, failure);
    }

    [Fact]
    public void A_required_type_refuses_a_token_without_type()
    {
        Assert.False(Jws.TryVerify(Es256Token, Key(Es256Key), "at+jwt", out _, out var failure));
        Assert.Equal(TokenFailure.WrongType, failure);
    }

    private static JsonWebKey Key(string jwk)
    {
        Assert.True(JsonWebKey.TryParse(Encoding.UTF8.GetBytes(jwk), out var key, out _));
        return key;
    }
}
