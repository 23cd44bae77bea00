using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class AccessTokenTests
{
    private const string Issuer = "https://verbatim.example";
    private const string Audience = "https://verbatim.example/api";
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigningKey Key = SigningKey.Generate();
    private static readonly JsonWebKeySet Keys = new(Key.PublicKey);

    private readonly ManualClock _clock = new(Start);

    [Fact]
    public void An_issued_token_says_what_it_was_given()
    {
        var given = Token();
        Assert.Equal(TokenFailure.None, Validate(Issue(given), out var read));
        Assert.Equal(given.Id, read!.Id);
        Assert.Equal(given.Subject, read.Subject);
        Assert.Equal(given.OrganizationId, read.OrganizationId);
        Assert.Equal(given.ClientId, read.ClientId);
        Assert.Equal(given.Roles, read.Roles);
        Assert.Equal(given.Scopes, read.Scopes);
        Assert.Equal(given.IssuedAt, read.IssuedAt);
        Assert.Equal(given.NotBefore, read.NotBefore);
        Assert.Equal(given.ExpiresAt, read.ExpiresAt);
        Assert.True(read.HasRole("auditor"));
        Assert.False(read.HasRole("Auditor"));
        Assert.True(read.HasScope("audit:read"));
        Assert.False(read.HasScope("audit"));
    }

    [Fact]
    public void The_wire_form_is_that_of_rfc9068()
    {
        var token = Token();
        var segments = Issue(token).Split('.');
        Assert.Equal(Forge.Header(Key, "at+jwt"), Encoding.UTF8.GetString(Base64Url.DecodeFromChars(segments[0])));
        Assert.Equal(
            $$"""
            {"iss":"{{Issuer}}","sub":"{{token.Subject}}","aud":"{{Audience}}","iat":1772366400,"nbf":1772366400,"exp":1772367300,"jti":"{{token.Id}}","client_id":"console","org_id":"{{token.OrganizationId}}","roles":["admin","auditor"],"scope":"audit:read models:call"}
            """,
            Encoding.UTF8.GetString(Base64Url.DecodeFromChars(segments[1]))
        );
    }

    [Fact]
    public void A_token_without_roles_and_scopes_has_none()
    {
        Assert.Equal(TokenFailure.None, Validate(Issue(Token() with { Roles = [], Scopes = [] }), out var read));
        Assert.Empty(read!.Roles);
        Assert.Empty(read.Scopes);
    }

    [Fact]
    public void Fractions_of_a_second_are_cut_off()
    {
        var given = Token() with { ExpiresAt = Start.AddSeconds(60.9) };
        Assert.Equal(TokenFailure.None, Validate(Issue(given), out var read));
        Assert.Equal(Start.AddSeconds(60), read!.ExpiresAt);
    }

    [Theory]
    [InlineData(0, -0.001, TokenFailure.NotYetValid)]
    [InlineData(0, 0, TokenFailure.None)]
    [InlineData(0, 899.999, TokenFailure.None)]
    [InlineData(0, 900, TokenFailure.Expired)]
    [InlineData(30, -30.001, TokenFailure.NotYetValid)]
    [InlineData(30, -30, TokenFailure.None)]
    [InlineData(30, 929.999, TokenFailure.None)]
    [InlineData(30, 930, TokenFailure.Expired)]
    public void A_token_is_valid_in_its_time_give_or_take_the_skew(double skew, double seconds, object expected)
    {
        var text = Issue(Token());
        var validator = new AccessTokenValidator(Issuer, Audience, _clock, TimeSpan.FromSeconds(skew));
        _clock.Now = Start.AddSeconds(seconds);
        Assert.Equal(expected, Validate(validator, text, Keys, out _));

        // Once more for a token that was seen while it was valid.
        _clock.Now = Start;
        Assert.Equal(TokenFailure.None, Validate(validator, text, Keys, out _));
        _clock.Now = Start.AddSeconds(seconds);
        Assert.Equal(expected, Validate(validator, text, Keys, out _));
    }

    [Fact]
    public void A_token_from_the_future_is_not_yet_valid()
    {
        var future = Start.AddSeconds(31);
        Assert.Equal(TokenFailure.NotYetValid, Validate(Issue(Token() with { IssuedAt = future }), out _));
        Assert.Equal(TokenFailure.NotYetValid, Validate(Issue(Token() with { NotBefore = future }), out _));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(31)]
    public void A_skew_out_of_range_is_a_fault(int seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new AccessTokenValidator(Issuer, Audience, _clock, TimeSpan.FromSeconds(seconds))
        );

    [Fact]
    public void Another_issuer_or_audience_is_refused()
    {
        var text = Issue(Token());
        Assert.Equal(
            TokenFailure.WrongIssuer,
            Validate(new AccessTokenValidator(Issuer + "/", Audience, _clock, TimeSpan.Zero), text, Keys, out _)
        );
        Assert.Equal(
            TokenFailure.WrongAudience,
            Validate(new AccessTokenValidator(Issuer, Issuer, _clock, TimeSpan.Zero), text, Keys, out _)
        );
    }

    [Fact]
    public void Another_type_of_token_with_the_same_key_is_refused()
    {
        var payload = Base64Url.DecodeFromChars(Issue(Token()).Split('.')[1]);
        Assert.Equal(TokenFailure.WrongType, Validate(Jws.Sign(Key, payload, "JWT"), out _));
        Assert.Equal(
            TokenFailure.WrongType,
            Validate(
                Forge.Token(Key, $$"""{"alg":"ES256","kid":"{{Key.KeyId}}"}""", Encoding.UTF8.GetString(payload)),
                out _
            )
        );
    }

    [Theory]
    [InlineData("iss")]
    [InlineData("sub")]
    [InlineData("aud")]
    [InlineData("iat")]
    [InlineData("nbf")]
    [InlineData("exp")]
    [InlineData("jti")]
    [InlineData("client_id")]
    [InlineData("org_id")]
    [InlineData("roles")]
    public void A_missing_claim_is_refused(string claim) =>
        Assert.Equal(TokenFailure.BadClaims, Validate(Altered(claims => claims.Remove(claim)), out _));

    [Theory]
    [InlineData("iss", "1", TokenFailure.BadClaims)]
    [InlineData("iss", "[\"https://verbatim.example\"]", TokenFailure.BadClaims)]
    [InlineData("iss", "\"\"", TokenFailure.WrongIssuer)]
    [InlineData("sub", "\"root\"", TokenFailure.BadClaims)]
    [InlineData("sub", "\"{00000000-0000-0000-0000-000000000001}\"", TokenFailure.BadClaims)]
    [InlineData("sub", "null", TokenFailure.BadClaims)]
    [InlineData("jti", "7", TokenFailure.BadClaims)]
    [InlineData("org_id", "{}", TokenFailure.BadClaims)]
    [InlineData("client_id", "\"\"", TokenFailure.BadClaims)]
    [InlineData("client_id", "[]", TokenFailure.BadClaims)]
    [InlineData("aud", "[]", TokenFailure.WrongAudience)]
    [InlineData("aud", "[\"a\",\"b\"]", TokenFailure.WrongAudience)]
    [InlineData("aud", "[\"a\",\"https://verbatim.example/api\",\"b\"]", TokenFailure.None)]
    [InlineData("aud", "[\"https://verbatim.example/api\",7]", TokenFailure.BadClaims)]
    [InlineData("aud", "[[\"https://verbatim.example/api\"]]", TokenFailure.BadClaims)]
    [InlineData("aud", "{\"https://verbatim.example/api\":1}", TokenFailure.BadClaims)]
    [InlineData("aud", "null", TokenFailure.BadClaims)]
    [InlineData("exp", "\"1772367300\"", TokenFailure.BadClaims)]
    [InlineData("exp", "1772367300.5", TokenFailure.BadClaims)]
    [InlineData("exp", "1.7723673e9", TokenFailure.BadClaims)]
    [InlineData("exp", "-1", TokenFailure.BadClaims)]
    [InlineData("exp", "9223372036854775807", TokenFailure.BadClaims)]
    [InlineData("exp", "99999999999999999999999999", TokenFailure.BadClaims)]
    [InlineData("exp", "253402300799", TokenFailure.BadClaims)]
    [InlineData("exp", "253402214399", TokenFailure.None)]
    [InlineData("exp", "0", TokenFailure.Expired)]
    [InlineData("iat", "true", TokenFailure.BadClaims)]
    [InlineData("nbf", "null", TokenFailure.BadClaims)]
    [InlineData("nbf", "0", TokenFailure.None)]
    [InlineData("roles", "\"admin\"", TokenFailure.BadClaims)]
    [InlineData("roles", "[\"admin\",null]", TokenFailure.BadClaims)]
    [InlineData("roles", "[\"\"]", TokenFailure.BadClaims)]
    [InlineData("roles", "[[\"admin\"]]", TokenFailure.BadClaims)]
    [InlineData("scope", "[\"audit:read\"]", TokenFailure.BadClaims)]
    [InlineData("scope", "\"\"", TokenFailure.BadClaims)]
    [InlineData("scope", "\"a  b\"", TokenFailure.BadClaims)]
    [InlineData("scope", "\" a\"", TokenFailure.BadClaims)]
    [InlineData("scope", "\"a\\tb\"", TokenFailure.BadClaims)]
    [InlineData("scope", "\"caf\u00e9\"", TokenFailure.BadClaims)]
    [InlineData("anything", "{\"else\":[1]}", TokenFailure.None)]
    public void A_claim_is_taken_at_its_word(string claim, string value, object expected) =>
        Assert.Equal(expected, Validate(Altered(claims => claims[claim] = JsonNode.Parse(value)), out _));

    [Theory]
    [InlineData("""{"sub":"00000000-0000-0000-0000-000000000001",""")]
    [InlineData("""{"s\u0075b":"00000000-0000-0000-0000-000000000001",""")]
    [InlineData("""{"act":{"sub":1,"sub":2},""")]
    public void A_duplicate_claim_is_refused(string start)
    {
        var claims = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(Issue(Token()).Split('.')[1]));
        Assert.Equal(TokenFailure.None, Validate(Forge.Token(Key, Forge.Header(Key), claims), out _));
        Assert.Equal(TokenFailure.BadClaims, Validate(Forge.Token(Key, Forge.Header(Key), start + claims[1..]), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("not json")]
    public void A_payload_that_is_no_claim_set_is_refused(string payload) =>
        Assert.Equal(TokenFailure.BadClaims, Validate(Forge.Token(Key, Forge.Header(Key), payload), out _));

    [Fact]
    public void A_token_that_could_not_be_read_is_not_issued()
    {
        Assert.Throws<ArgumentException>(() => Issue(Token() with { ClientId = "" }));
        Assert.Throws<ArgumentException>(() => Issue(Token() with { Roles = ["admin", ""] }));
        Assert.Throws<ArgumentException>(() => Issue(Token() with { Scopes = ["two words"] }));
        Assert.Throws<ArgumentException>(() => Issue(Token() with { Scopes = [""] }));
        Assert.Throws<ArgumentException>(() => Issue(Token() with { Scopes = ["\"quoted\""] }));
        Assert.Throws<ArgumentException>(() => Issue(Token() with { ExpiresAt = Start.AddSeconds(0.5) }));
        Assert.Throws<ArgumentException>(() => Issue(Token() with { Roles = [new string('x', Jws.MaxLength)] }));
    }

    [Fact]
    public void A_token_that_was_seen_before_is_the_same_object()
    {
        var validator = Validator();
        var text = Issue(Token());
        Validate(validator, text, Keys, out var first);
        Validate(validator, new string(text), Keys, out var second);
        Assert.Same(first, second);
    }

    [Fact]
    public void A_retired_key_is_refused_even_for_a_token_that_was_seen_before()
    {
        var validator = Validator();
        var text = Issue(Token());
        Assert.Equal(TokenFailure.None, Validate(validator, text, Keys, out _));
        var next = SigningKey.Generate();
        Assert.Equal(TokenFailure.UnknownKey, Validate(validator, text, new JsonWebKeySet(next.PublicKey), out _));
        Assert.Equal(
            TokenFailure.None,
            Validate(validator, text, new JsonWebKeySet(next.PublicKey, Key.PublicKey), out _)
        );
    }

    [Fact]
    public void A_token_that_was_seen_before_does_not_vouch_for_its_neighbours()
    {
        var validator = Validator();
        var text = Issue(Token());
        Assert.Equal(TokenFailure.None, Validate(validator, text, Keys, out _));
        Assert.Equal(TokenFailure.BadEncoding, Validate(validator, text + "=", Keys, out _));
        Assert.Equal(TokenFailure.BadEncoding, Validate(validator, " " + text, Keys, out _));
        Assert.Equal(TokenFailure.Oversized, Validate(validator, text + new string('A', Jws.MaxLength), Keys, out _));
        Assert.Equal(TokenFailure.Malformed, Validate(validator, "", Keys, out _));
    }

    private static AccessToken Token() =>
        new()
        {
            Id = Guid.CreateVersion7(Start),
            Subject = Guid.CreateVersion7(Start),
            OrganizationId = Guid.CreateVersion7(Start),
            ClientId = "console",
            Roles = ["admin", "auditor"],
            Scopes = ["audit:read", "models:call"],
            IssuedAt = Start,
            NotBefore = Start,
            ExpiresAt = Start.AddMinutes(15),
        };

    private static string Issue(AccessToken token) => new AccessTokenIssuer(Issuer, Audience).Issue(token, Key);

    /// <summary>A correctly signed token whose claims were altered.</summary>
    private static string Altered(Action<JsonObject> alter)
    {
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(Issue(Token()).Split('.')[1]))!.AsObject();
        alter(claims);
        return Forge.Token(Key, Forge.Header(Key), claims.ToJsonString());
    }

    private AccessTokenValidator Validator() => new(Issuer, Audience, _clock, TimeSpan.FromSeconds(30));

    private TokenFailure Validate(string text, out AccessToken? token) => Validate(Validator(), text, Keys, out token);

    private static TokenFailure Validate(
        AccessTokenValidator validator,
        string text,
        JsonWebKeySet keys,
        out AccessToken? token
    )
    {
        var isValid = validator.TryValidate(text, keys, out token, out var failure);
        Assert.Equal(isValid, token is not null);
        Assert.Equal(isValid, failure == TokenFailure.None);
        return failure;
    }
}
