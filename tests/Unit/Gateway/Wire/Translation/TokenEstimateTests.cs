using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

public sealed class TokenEstimateTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("The quick brown fox jumps over the lazy dog.", 9)]
    [InlineData("Hello, world!", 4)]
    [InlineData("1234567", 3)]
    [InlineData("one\n\ntwo", 3)]
    [InlineData("getUserName", 3)]
    [InlineData("语言模型", 3)]
    [InlineData("😀", 2)]
    public void Texts_cost_what_their_pieces_cost_on_average(string text, int tokens) =>
        Assert.Equal(tokens, TokenEstimate.OfText(text));

    [Fact]
    public void A_request_is_the_sum_of_what_is_in_it()
    {
        Assert.True(
            TokenEstimate.TryOf(
                Operation.CountTokens,
                Encoding.UTF8.GetBytes(
                    """
                    {"model":"a","system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"Hello, world!"},
                      {"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}]}],"tools":[{"name":"find","input_schema":{}}]}
                    """
                ),
                out var tokens,
                out _
            )
        );

        // The reply 3; instructions 4 + 3; the message 4 + 4 + 1000; the tool 8 + 1 + 1.
        Assert.Equal(1028, tokens);
    }

    [Fact]
    public void What_is_no_request_is_refused()
    {
        Assert.False(TokenEstimate.TryOf(Operation.CountTokens, "{}"u8.ToArray(), out _, out var error));
        Assert.Equal("messages", error.Param);
    }

    [Fact]
    public void More_text_is_never_fewer_tokens_and_nothing_throws() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<string>(),
                text => TokenEstimate.OfText(text ?? "") <= TokenEstimate.OfText((text ?? "") + "\nend")
            )
            .Check(Generators.Tests(500));
}
