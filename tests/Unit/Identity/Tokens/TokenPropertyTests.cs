using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

/// <summary>Laws that hold for every token, checked on random ones.</summary>
public sealed class TokenPropertyTests
{
    private const string Issuer = "https://verbatim.example";
    private const string Audience = "https://verbatim.example/api";
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SigningKey Key = SigningKey.Generate();
    private static readonly JsonWebKeySet Keys = new(Key.PublicKey);
    private static readonly AccessTokenIssuer Tokens = new(Issuer, Audience);

    // Characters that mean something to some parser on the way, and some that mean nothing to any.
    private static readonly Gen<char> Character = Gen.Frequency(
        (6, Gen.Elements("ABCwxyz0189-_".ToCharArray())),
        (4, Gen.Elements(".=+/{}[]\":,\\ \t\r\n\0%".ToCharArray())),
        (2, Gen.Choose(0, 0xFFFF).Select(code => (char)code))
    );

    private static readonly Gen<string> Text = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""),
        Gen.ArrayOf(Character).Select(characters => new string(characters))
    );

    [Fact]
    public void Any_payload_comes_back_from_its_token() =>
        Holds(
            500,
            ArbMap.Default.ArbFor<byte[]>(),
            payload =>
                Jws.TryVerify(Jws.Sign(Key, payload, "JWT"), Keys, "JWT", out var read, out _)
                && read.AsSpan().SequenceEqual(payload)
        );

    [Fact]
    public void Any_access_token_comes_back_from_its_text() =>
        Holds(
            500,
            AccessTokens().ToArbitrary(),
            given =>
                Validator().TryValidate(Tokens.Issue(given, Key), Keys, out var read, out _)
                && (read.Id, read.Subject, read.OrganizationId, read.ClientId)
                    == (given.Id, given.Subject, given.OrganizationId, given.ClientId)
                && read.Roles.SequenceEqual(given.Roles)
                && read.Scopes.SequenceEqual(given.Scopes)
                && (read.IssuedAt, read.NotBefore, read.ExpiresAt) == (given.IssuedAt, given.NotBefore, given.ExpiresAt)
        );

    [Fact]
    public void Every_single_bit_counts()
    {
        var text = Tokens.Issue(AccessTokens().Sample(1, 10).Single(), Key);
        var validator = Validator();
        Assert.True(validator.TryValidate(text, Keys, out _, out _));
        for (var i = 0; i < text.Length; i++)
        {
            for (var bit = 0; bit < 16; bit++)
            {
                var changed = text.ToCharArray();
                changed[i] ^= (char)(1 << bit);
                if (validator.TryValidate(changed, Keys, out _, out _))
                    Assert.Fail($"Accepted with bit {bit} of character {i} flipped: {new string(changed)}");
            }
        }
    }

    [Fact]
    public void Every_digit_of_the_signature_counts()
    {
        // All 63 other digits at all places: among them those that differ only in bits that no byte takes up.
        var text = Jws.Sign(Key, "{}"u8, "JWT");
        for (var i = text.LastIndexOf('.') + 1; i < text.Length; i++)
        {
            foreach (var digit in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            {
                var changed = text.ToCharArray();
                changed[i] = digit;
                Assert.Equal(digit == text[i], Jws.TryVerify(changed, Keys, "JWT", out _, out _));
            }
        }
    }

    [Fact]
    public void Any_edit_of_a_token_is_refused()
    {
        var text = Tokens.Issue(AccessTokens().Sample(1, 10).Single(), Key);
        var validator = Validator();
        Assert.True(validator.TryValidate(text, Keys, out _, out _));
        Holds(
            2000,
            Edits(text).ToArbitrary(),
            edited =>
                string.Equals(edited, text, StringComparison.Ordinal)
                || (
                    !validator.TryValidate(edited, Keys, out var token, out var failure)
                    && token is null
                    && failure != TokenFailure.None
                    && !Jws.TryVerify(edited, Keys, type: null, out _, out _)
                    && !Jws.TryVerify(edited, Key.PublicKey, type: null, out _, out _)
                )
        );
    }

    [Fact]
    public void Any_text_is_answered_without_an_exception() =>
        Holds(
            5000,
            Gen.OneOf(
                    Text,
                    Gen.Three(Text).Select(parts => $"{parts.Item1}.{parts.Item2}.{parts.Item3}"),
                    Gen.Three(Text.Select(Encode)).Select(parts => $"{parts.Item1}.{parts.Item2}.{parts.Item3}")
                )
                .ToArbitrary(),
            text => !Validator().TryValidate(text, Keys, out _, out var failure) && failure != TokenFailure.None
        );

    [Fact]
    public void Any_edit_of_a_header_is_answered_without_an_exception() =>
        // Correctly signed, so that nothing but the header can refuse it.
        Holds(
            3000,
            Edits(Forge.Header(Key)).ToArbitrary(),
            header =>
                Jws.TryVerify(Forge.Token(Key, header, "{}"), Keys, null, out _, out var failure)
                == (failure == TokenFailure.None)
        );

    [Fact]
    public void Any_edit_of_the_claims_is_answered_without_an_exception()
    {
        var text = Tokens.Issue(AccessTokens().Sample(1, 10).Single(), Key);
        var claims = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text.Split('.')[1]));
        Holds(
            3000,
            Edits(claims).ToArbitrary(),
            edited =>
                Validator().TryValidate(Forge.Token(Key, Forge.Header(Key), edited), Keys, out _, out var failure)
                == (failure == TokenFailure.None)
        );
    }

    [Fact]
    public void Any_bytes_as_claims_are_answered_without_an_exception() =>
        Holds(
            1000,
            ArbMap.Default.ArbFor<byte[]>(),
            bytes =>
                AccessTokenClaims.Read(bytes, Issuer, Audience, out var token) == TokenFailure.BadClaims
                && token is null
        );

    [Fact]
    public void Any_edit_of_a_key_is_answered_without_an_exception()
    {
        var publicKey = Encoding.UTF8.GetString(Key.PublicKey.ToUtf8Json());
        var privateKey = Encoding.UTF8.GetString(Key.ExportPrivateJwk());
        Holds(
            2000,
            Edits(publicKey).ToArbitrary(),
            json =>
            {
                var bytes = Encoding.UTF8.GetBytes(json);
                var isKey = JsonWebKey.TryParse(bytes, out _, out var failure) == (failure == JsonWebKeyFailure.None);
                var set = Encoding.UTF8.GetBytes($$"""{"keys":[{{json}}]}""");
                var isSet = JsonWebKeySet.TryParse(set, out _, out failure) == (failure == JsonWebKeyFailure.None);
                return isKey && isSet;
            }
        );
        Holds(
            1000,
            Edits(privateKey).ToArbitrary(),
            json =>
                SigningKey.TryParse(Encoding.UTF8.GetBytes(json), out _, out var failure)
                == (failure == JsonWebKeyFailure.None)
        );
    }

    [Fact]
    public void Any_bytes_as_a_key_are_answered_without_an_exception() =>
        Holds(
            1000,
            ArbMap.Default.ArbFor<byte[]>(),
            bytes =>
                !JsonWebKey.TryParse(bytes, out _, out _)
                && !JsonWebKeySet.TryParse(bytes, out _, out _)
                && !SigningKey.TryParse(bytes, out _, out _)
        );

    private static void Holds<T>(int times, Arbitrary<T> arbitrary, Func<T, bool> law) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(times).WithQuietOnSuccess(true), Prop.ForAll(arbitrary, law));

    /// <summary>The text with one to three characters replaced, inserted, removed, swapped, or a part doubled.</summary>
    private static Gen<string> Edits(string text)
    {
        var once = Gen.Choose(0, int.MaxValue)
            .SelectMany(place =>
                Gen.OneOf(
                    Character.Select(c => Edit(place, (s, i) => s.Remove(i, 1).Insert(i, c.ToString()))),
                    Character.Select(c => Edit(place, (s, i) => s.Insert(i, c.ToString()))),
                    Gen.Constant(Edit(place, (s, i) => s.Remove(i, 1))),
                    Gen.Constant(Edit(place, (s, i) => s[i..] + s[..i])),
                    Gen.Constant(Edit(place, (s, i) => s[..i])),
                    Gen.Choose(1, 20)
                        .Select(n => Edit(place, (s, i) => s.Insert(i, s.Substring(i, Math.Min(n, s.Length - i)))))
                )
            );
        return Gen.Choose(1, 3)
            .SelectMany(count => Gen.ArrayOf(once, count))
            .Select(edits => edits.Aggregate(text, (current, edit) => edit(current)));
    }

    private static Func<string, string> Edit(int place, Func<string, int, string> edit) =>
        text => text.Length == 0 ? text : edit(text, place % text.Length);

    private static Gen<AccessToken> AccessTokens()
    {
        var id = ArbMap.Default.GeneratorFor<Guid>();
        // Half a surrogate pair has no UTF-8; it is the one kind of text that cannot come back.
        var role = Text.Where(text => text.Length > 0 && Utf16IsValid(text));
        var scope = Gen.NonEmptyListOf(Gen.Elements(Enumerable.Range(0x21, 94).Select(code => (char)code)))
            .Select(characters => new string([.. characters.Where(c => c is not ('"' or '\\'))]))
            .Where(text => text.Length > 0);
        return from ids in Gen.Three(id)
            from client in role
            from roles in Gen.ListOf(role).Select(list => list.Take(5))
            from scopes in Gen.ListOf(scope).Select(list => list.Take(5))
            from lifetime in Gen.Choose(1, 86_400)
            select new AccessToken
            {
                Id = ids.Item1,
                Subject = ids.Item2,
                OrganizationId = ids.Item3,
                ClientId = client,
                Roles = [.. roles],
                Scopes = [.. scopes],
                IssuedAt = Start,
                NotBefore = Start,
                ExpiresAt = Start.AddSeconds(lifetime),
            };
    }

    private static bool Utf16IsValid(string text) =>
        Utf8.FromUtf16(text, new byte[3 * text.Length], out _, out _, replaceInvalidSequences: false)
        == System.Buffers.OperationStatus.Done;

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static AccessTokenValidator Validator() =>
        new(Issuer, Audience, new ManualClock(Start), TimeSpan.FromSeconds(30));
}
