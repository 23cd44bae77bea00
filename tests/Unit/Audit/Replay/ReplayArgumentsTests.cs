using Verbatim.Modules.Audit.Replay;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Unit.Audit.Replay;

public sealed class ReplayArgumentsTests
{
    [Fact]
    public void A_stream_alone_is_replayed_to_its_end_as_text()
    {
        var arguments = ReplayArguments.Parse(["0199A4C2-7f10"]);

        Assert.Equal("0199a4c27f10", arguments.Stream.Digits);
        Assert.Equal(Guid.Parse("0199a4c2-7f10-0000-0000-000000000000"), arguments.Stream.First);
        Assert.Equal(Guid.Parse("0199a4c2-7f10-ffff-ffff-ffffffffffff"), arguments.Stream.Last);
        Assert.Equal(
            (null, null, false, false),
            (arguments.AtVersion, arguments.At, arguments.IsJson, arguments.IsFull)
        );
    }

    [Fact]
    public void Options_stand_before_or_behind_the_stream()
    {
        var arguments = ReplayArguments.Parse(["--json", "--at", "3", "0199a4c2", "--full"]);

        Assert.Equal((3, true, true), (arguments.AtVersion, arguments.IsJson, arguments.IsFull));
    }

    [Fact]
    public void At_takes_a_time()
    {
        var arguments = ReplayArguments.Parse(["0199a4c2", "--at", "2026-01-31T12:00:00Z"]);

        Assert.Null(arguments.AtVersion);
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), arguments.At!.Floor);
    }

    [Theory]
    [InlineData("Which stream?")]
    [InlineData("Which stream?", "--json")]
    [InlineData("not a stream's id", "0199a4c")]
    [InlineData("not a stream's id", "0199a4cx")]
    [InlineData("not a stream's id", "0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a770")]
    [InlineData("One stream at a time", "0199a4c2", "0199a4c3")]
    [InlineData("no option '--fast'", "0199a4c2", "--fast")]
    [InlineData("needs a version or a time", "0199a4c2", "--at")]
    [InlineData("given twice", "0199a4c2", "--at", "1", "--at", "2")]
    [InlineData("not '0'", "0199a4c2", "--at", "0")]
    [InlineData("not '-1'", "0199a4c2", "--at", "-1")]
    [InlineData("not 'yesterday'", "0199a4c2", "--at", "yesterday")]
    [InlineData("not '99999999999999999999'", "0199a4c2", "--at", "99999999999999999999")]
    public void What_is_wrong_is_named(string expected, params string[] arguments)
    {
        var wrong = Assert.Throws<CommandUsageException>(() => ReplayArguments.Parse(arguments));

        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
    }
}
