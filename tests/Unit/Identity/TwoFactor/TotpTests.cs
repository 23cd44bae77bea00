using System.Text;
using Verbatim.Modules.Identity.TwoFactor;

namespace Verbatim.Tests.Unit.Identity.TwoFactor;

public sealed class TotpTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 6238, appendix B, for SHA-1; the last six of its eight digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_the_standard(long seconds, string code) =>
        Assert.Equal(code, Totp.CodeOf(Secret, Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    // RFC 4226, appendix D.
    [Theory]
    [InlineData(0, "755224")]
    [InlineData(1, "287082")]
    [InlineData(9, "520489")]
    public void Counters_are_those_of_the_standard(long counter, string code) =>
        Assert.Equal(code, Totp.CodeOf(Secret, counter));

    [Theory]
    [InlineData(-61, false)]
    [InlineData(-30, true)]
    [InlineData(0, true)]
    [InlineData(30, true)]
    [InlineData(60, false)]
    public void One_step_beside_the_present_is_taken(int offset, bool isTaken)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_111_111_110);
        var code = Totp.CodeOf(Secret, Totp.StepAt(now.AddSeconds(offset)));

        Assert.Equal(isTaken, Totp.FindStep(Secret, code, now) is not null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("28708")]
    [InlineData("2870820")]
    [InlineData("８７０８２０")]
    public void What_is_no_code_is_wrong(string text) =>
        Assert.Null(Totp.FindStep(Secret, text, DateTimeOffset.FromUnixTimeSeconds(59)));

    // RFC 4648, §10.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Secrets_are_in_base32(string text, string encoded) =>
        Assert.Equal(encoded, Totp.ToBase32(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Recovery_codes_are_recognised_and_no_code_is_taken_for_one()
    {
        Assert.All(RecoveryCode.NewSet(), code => Assert.True(RecoveryCode.LooksLikeOne(code)));
        Assert.False(RecoveryCode.LooksLikeOne("123456"));
        Assert.Equal(RecoveryCode.HashOf("K7M2P 9XW4T HQ3VD"), RecoveryCode.HashOf("k7m2p-9xw4t-hq3vd"));
        Assert.NotEqual(RecoveryCode.HashOf("k7m2p-9xw4t-hq3vc"), RecoveryCode.HashOf("k7m2p-9xw4t-hq3vd"));
    }
}
