using Verbatim.Modules.Identity.Passwords;

namespace Verbatim.Tests.Unit.Identity.Passwords;

public sealed class PasswordRulesTests
{
    [Theory]
    [InlineData("passwordpassword")]
    [InlineData("Password2026!")]
    [InlineData("P@ssw0rd1234")]
    [InlineData("Passw0rd-2027!")]
    [InlineData("123456789012")]
    [InlineData("987654321098")]
    [InlineData("qwertyuiop123")]
    [InlineData("qwertzuiop12")]
    [InlineData("1qaz2wsx3edc")]
    [InlineData("1qaz!QAZ2wsx")]
    [InlineData("abcdefghijkl")]
    [InlineData("abcd1234!@#$")]
    [InlineData("aaaaaaaaaaaa")]
    [InlineData("121212121212")]
    [InlineData("horsehorsehorse")]
    [InlineData("Welcome12345")]
    [InlineData("iloveyou2024")]
    [InlineData("changeme-changeme")]
    [InlineData("Summer2025!!")]
    [InlineData("letmein letmein")]
    [InlineData("administrator1")]
    public void What_is_tried_first_is_refused(string password) =>
        Assert.Equal(PasswordRules.Code, PasswordRules.Check(password, "ada@example.org", "Analytical Engines")?.Code);

    [Theory]
    [InlineData("ada.lovelace@example.org")]
    [InlineData("Ada.Lovelace1")]
    [InlineData("2024ADA.LOVELACE!")]
    [InlineData("Analytical Engines")]
    [InlineData("analyticalengines1")]
    public void Ones_own_name_is_refused(string password) =>
        Assert.Equal(
            PasswordRules.Code,
            PasswordRules.Check(password, "ada.lovelace@example.org", "Analytical Engines")?.Code
        );

    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("the administrator's password")]
    [InlineData("mK7tRw3xZq9pYf2dHc8n")]
    [InlineData("eine kleine Nachtmusik")]
    [InlineData("пароль из семи слов")]
    [InlineData("ada.lovelace wrote a program")]
    public void Whatever_nobody_would_try_is_taken_whatever_it_is_made_of(string password) =>
        Assert.Null(PasswordRules.Check(password, "ada.lovelace@example.org", "Analytical Engines"));

    [Fact]
    public void Length_is_all_that_is_asked_for()
    {
        Assert.NotNull(PasswordRules.Check("kT9#vLq2!xZ", "ada@example.org", organization: null));
        Assert.Null(PasswordRules.Check("kT9#vLq2!xZw", "ada@example.org", organization: null));
        Assert.NotNull(PasswordRules.Check(new string('k', 1001), "ada@example.org", organization: null));
    }

    [Fact]
    public void One_time_passwords_are_good_passwords()
    {
        for (var i = 0; i < 1000; i++)
            Assert.Null(PasswordRules.Check(PasswordStore.NewOneTimePassword(), "ada@example.org", "Engines"));
    }
}
