using System.Text;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire;

public sealed class TokenUsageTests
{
    [Fact]
    public void All_counts_are_read()
    {
        var usage = Read(
            """{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":4,"accepted_prediction_tokens":0}}"""
        );

        Assert.Equal(new TokenUsage(19, 10, 29, 8, 4), usage);
    }

    [Theory]
    [InlineData("""{}""", null, null, null, null, null)]
    [InlineData("""{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}""", 0, 0, 0, null, null)]
    [InlineData("""{"prompt_tokens":null,"completion_tokens":"5"}""", null, null, null, null, null)]
    [InlineData("""{"prompt_tokens":-1,"completion_tokens":1.5,"total_tokens":1e400}""", null, null, null, null, null)]
    [InlineData("""{"prompt_tokens":12.0,"completion_tokens":1e2}""", 12, 100, null, null, null)]
    [InlineData("""{"prompt_tokens":1,"prompt_tokens_details":null}""", 1, null, null, null, null)]
    [InlineData("""{"prompt_tokens":1,"prompt_tokens_details":[2]}""", 1, null, null, null, null)]
    [InlineData("""{"prompt_tokens_details":{"cached_tokens":0}}""", null, null, null, 0, null)]
    [InlineData("""{"prompt_cache_hit_tokens":7,"prompt_cache_miss_tokens":1}""", null, null, null, 7, null)]
    [InlineData(
        """{"prompt_tokens_details":{"cached_tokens":0},"prompt_cache_hit_tokens":7}""",
        null,
        null,
        null,
        0,
        null
    )]
    [InlineData("""{"x":{"prompt_tokens":9},"total_tokens":3}""", null, null, 3, null, null)]
    public void What_is_not_said_is_not_zero(
        string json,
        int? prompt,
        int? completion,
        int? total,
        int? cached,
        int? reasoning
    ) => Assert.Equal(new TokenUsage(prompt, completion, total, cached, reasoning), Read(json));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"prompt_tokens":1""")]
    public void What_is_no_object_is_no_usage(string json)
    {
        Assert.False(TokenUsage.TryRead(Encoding.UTF8.GetBytes(json), out var usage));
        Assert.Equal(default, usage);
    }

    [Fact]
    public void The_usage_of_a_response_is_found_at_its_top_only()
    {
        Assert.True(
            TokenUsage.TryReadResponse(
                """{"choices":[{"usage":{"prompt_tokens":1}}],"usage":{"prompt_tokens":2},"x":1}"""u8,
                out var usage
            )
        );
        Assert.Equal(new TokenUsage(2, null, null, null, null), usage);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"usage":null}""")]
    [InlineData("""{"usage":7}""")]
    [InlineData("""{"error":{"message":"no"}}""")]
    public void A_response_without_usage_is_JSON_all_the_same(string body)
    {
        Assert.True(TokenUsage.TryReadResponse(Encoding.UTF8.GetBytes(body), out var usage));
        Assert.Null(usage);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>502 Bad Gateway</html>")]
    [InlineData("[]")]
    [InlineData("""{"usage":{"prompt_tokens":1}""")]
    [InlineData("""{"usage":{"prompt_tokens":1}} x""")]
    public void A_body_that_is_no_JSON_object_is_told(string body)
    {
        Assert.False(TokenUsage.TryReadResponse(Encoding.UTF8.GetBytes(body), out var usage));
        Assert.Null(usage);
    }

    [Fact]
    public void A_body_that_is_not_UTF8_is_told()
    {
        byte[] body = [.. "{\"id\":\""u8, 0xFF, .. "\"}"u8];

        Assert.False(TokenUsage.TryReadResponse(body, out _));
    }

    private static TokenUsage Read(string json)
    {
        Assert.True(TokenUsage.TryRead(Encoding.UTF8.GetBytes(json), out var usage));
        return usage;
    }
}
