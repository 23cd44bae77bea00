using Verbatim.Modules.Gateway.Dispatch;

namespace Verbatim.Tests.Unit.Gateway.Dispatch;

public sealed class TokenScaleTests
{
    [Fact]
    public void What_was_counted_scales_what_is_estimated()
    {
        var scale = new TokenScale();
        Assert.Equal(1000, scale.Scale(1000));
        for (var call = 0; call < 50; call++)
            scale.Learn(1000, 1250);

        Assert.InRange(scale.Scale(1000), 1235, 1250);
    }

    [Theory]
    [InlineData(20, 40)]
    [InlineData(1000, 19)]
    [InlineData(1000, 5000)]
    public void What_says_nothing_about_the_tokenizer_teaches_nothing(long estimated, long counted)
    {
        var scale = new TokenScale();
        for (var call = 0; call < 50; call++)
            scale.Learn(estimated, counted);

        Assert.Equal(1000, scale.Scale(1000));
    }

    [Fact]
    public void The_first_calls_teach_and_later_ones_now_and_then()
    {
        var scale = new TokenScale();

        Assert.Equal(32 + 10, Enumerable.Range(0, 192).Count(_ => scale.WantsToLearn()));
        Assert.Equal((4096 - 192) / 16, Enumerable.Range(192, 4096 - 192).Count(_ => scale.WantsToLearn()));
        Assert.Equal(10, Enumerable.Range(0, 1280).Count(_ => scale.WantsToLearn()));
    }
}
