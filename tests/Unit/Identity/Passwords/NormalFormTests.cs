using Verbatim.Modules.Identity.Passwords;

namespace Verbatim.Tests.Unit.Identity.Passwords;

public sealed class NormalFormTests
{
    [Theory]
    [InlineData("cafe\u0301 au lait", "caf\u00e9 au lait")]
    [InlineData("U\u0308bermut", "\u00dcbermut")]
    [InlineData("vie\u0302\u0301t", "vi\u1ebft")]
    [InlineData("\u0438\u0306\u043e\u0433\u0443\u0440\u0442", "\u0439\u043e\u0433\u0443\u0440\u0442")]
    [InlineData("A\u030angstro\u0308m", "\u00c5ngstr\u00f6m")]
    public void A_letter_and_its_mark_are_one_however_they_were_typed(string typed, string composed)
    {
        Assert.Equal(composed, NormalForm.Compose(typed));
        Assert.Equal(composed, NormalForm.Compose(composed));
    }

    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("\u0301 begins with a mark")]
    [InlineData("\ud83d\ude00 \u65e5\u672c\u8a9e")]
    public void Everything_else_stays_as_it_is(string text) => Assert.Equal(text, NormalForm.Compose(text));

    [Fact]
    public async Task A_password_fits_in_either_form()
    {
        using var hashing = new PasswordHashing(new PasswordSettings(PasswordSettings.MinIterations));

        var hash = await hashing.HashAsync("a cafe\u0301 that nobody knows", TestContext.Current.CancellationToken);

        Assert.Equal(
            PasswordCheck.Right,
            await hashing.CheckAsync(hash, "a caf\u00e9 that nobody knows", TestContext.Current.CancellationToken)
        );
    }
}
