using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary><c>reasoning_details</c> of OpenRouter, between it and a caller on Anthropic's wire.</summary>
public sealed class ReasoningDetailsTests
{
    private const string Asked = """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}""";

    [Theory]
    [InlineData(
        """{"reasoning_details":[{"type":"reasoning.encrypted","data":"X"}],"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"""
    )]
    [InlineData(
        """{"reasoning_details":[{"type":"reasoning.encrypted","data":"X"}],"content":"a"}""",
        """{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"""
    )]
    public void A_call_is_not_cut_in_two_by_what_comes_between_its_arguments(params string[] deltas)
    {
        var answer = Answer([
            """{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}]}""",
            .. deltas,
        ]);

        var call = answer.Single(b => b["type"]!.GetValue<string>() == "tool_use");
        Assert.Equal("""{"a":1}""", call["input"]!.ToJsonString());
        Assert.Contains(answer, b => b.ToJsonString().Contains("vb1.details", StringComparison.Ordinal));
    }

    [Fact]
    public void Thoughts_before_and_behind_a_seal_are_two()
    {
        var answer = Answer([
            """{"reasoning":"A","reasoning_details":[{"type":"reasoning.text","text":"A","signature":"s1","index":0}],"tool_calls":null}""",
            """{"content":"a"}""",
            """{"reasoning":"B","reasoning_details":[{"type":"reasoning.text","text":"B","signature":"s2","index":1}]}""",
            """{"content":"b"}""",
        ]);

        Assert.Equal(["A", null, "B", null], answer.Select(b => b["thinking"]?.GetValue<string>()));
        Assert.Contains("s1", answer[0]["signature"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("s2", answer[2]["signature"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"type":"reasoning.encrypted","data":"X","id":"\ud800"}]""")]
    [InlineData("""[{"type":"reasoning.encrypted","type":"b","data":"X"}]""")]
    [InlineData("\"a\"")]
    [InlineData("7")]
    public void What_cannot_be_given_back_changes_nothing_else(string details)
    {
        var answer = Answer([$$"""{"reasoning":"A","reasoning_details":{{details}}}""", """{"content":"a"}"""]);

        Assert.Equal(["thinking", "text"], answer.Select(b => b["type"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("""vb1.details||[{\"a\":1.0}]""", """[{"a":1.0}]""")]
    [InlineData("""vb1.details||[{\"a\":\"\\ud800\"}]""", """[{"a":"\ud800"}]""")]
    public void A_seal_goes_back_as_it_was(string seal, string details)
    {
        var call = Open(seal);

        Assert.Empty(call.Unsupported);
        Assert.Contains(
            $"\"reasoning_details\":{details}",
            Encoding.UTF8.GetString(call.Body.Span),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("vb1.details||7")]
    [InlineData("vb1.details||[")]
    [InlineData("vb1.details||")]
    public void A_seal_that_was_changed_is_named(string seal)
    {
        var call = Open(seal);

        Assert.Equal("messages[1].content[0]", Translated.UnsupportedOf(call));
        Assert.DoesNotContain("reasoning_details", Encoding.UTF8.GetString(call.Body.Span), StringComparison.Ordinal);
    }

    private static TranslatedCall Open(string seal)
    {
        var body =
            $$"""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"{{seal}}"},{"type":"text","text":"y"}]},{"role":"user","content":"Go on"}]}""";
        var isOpen = TranslatedCall.TryOpen(
            Operation.Messages,
            Encoding.UTF8.GetBytes(body),
            new TranslationTarget(Operation.ChatCompletions, "m", 4096) { HasReasoningDetails = true },
            Translated.Identity,
            out var call,
            out var error
        );
        Assert.True(isOpen, error?.Message);
        return call!;
    }

    private static List<JsonNode> Answer(IEnumerable<string> deltas)
    {
        var call = Translated.Open(Operation.Messages, Operation.ChatCompletions, Asked);
        var events = string.Concat(
            deltas
                .Select(d => $$"""{"choices":[{"index":0,"delta":{{d}}}]}""")
                .Append("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""")
                .Append("[DONE]")
                .Select(d => $"data: {d}\n\n")
        );
        var relayed = Translated.Stream(call.OpenStream(), events);
        return [.. JsonNode.Parse(relayed.Whole)!["content"]!.AsArray().Select(b => b!)];
    }
}
