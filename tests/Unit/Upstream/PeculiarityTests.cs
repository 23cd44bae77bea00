using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class PeculiarityTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task OpenRouter_names_its_upstream_and_what_a_call_costs()
    {
        var answer = await _provider.JsonAsync(Commanded("""{"as":"openrouter","reasoning":"So so."}"""));

        Assert.StartsWith("gen-", answer.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("Fake", answer.GetProperty("provider").GetString());
        Assert.Equal(0.000168, answer.GetProperty("usage").GetProperty("cost").GetDouble());
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal("stop", choice.GetProperty("native_finish_reason").GetString());
        Assert.Equal("So so.", choice.GetProperty("message").GetProperty("reasoning").GetString());
        Assert.Equal(
            """[{"type":"reasoning.text","text":"So so.","signature":"EqoBCkgIARABGAIiQL+fake/signature==","format":"anthropic-claude-v1","index":0}]""",
            choice.GetProperty("message").GetProperty("reasoning_details").GetRawText()
        );
    }

    [Fact]
    public async Task OpenRouter_waits_with_comments_counts_unasked_and_fails_inside_a_choice()
    {
        var text = await _provider.TextAsync(Streamed("""{"as":"openrouter","text":"Hi"}"""));
        var failed = Wire.EventsIn(
            WithoutComments(await _provider.TextAsync(Streamed("""{"as":"openrouter","text":"a b","error_after":2}""")))
        );

        Assert.StartsWith(
            ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {\"id\":\"gen-",
            text,
            StringComparison.Ordinal
        );
        var events = Wire.EventsIn(WithoutComments(text));
        Assert.Equal(0.000168, JsonElement.Parse(events[^2]).GetProperty("usage").GetProperty("cost").GetDouble());
        Assert.All(
            events[..^2],
            static e =>
                Assert.Equal(
                    "assistant",
                    JsonElement.Parse(e).GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString()
                )
        );
        var error = JsonElement.Parse(failed[^1]);
        Assert.Equal("Provider disconnected", error.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("error", error.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task VLlm_has_nulls_that_nobody_else_has()
    {
        var text = await _provider.TextAsync(Commanded("""{"as":"vllm","text":"Hi"}"""));

        Assert.Equal(
            """
            {"id":"chatcmpl-ID","object":"chat.completion","created":1,"model":"gpt-fake","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],"reasoning_content":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"usage":{"prompt_tokens":19,"completion_tokens":1,"total_tokens":20,"prompt_tokens_details":null},"service_tier":null,"system_fingerprint":null,"prompt_logprobs":null,"prompt_token_ids":null,"kv_transfer_params":null}
            """,
            Wire.Fixed(text)
        );
    }

    [Fact]
    public async Task VLlm_streams_reasoning_before_the_text()
    {
        var events = Wire.EventsIn(
            await _provider.TextAsync(Streamed("""{"as":"vllm","text":"Hi","reasoning":"So so."}"""))
        );

        Assert.Equal(
            [
                """{"role":"assistant","content":""}""",
                """{"reasoning_content":"So"}""",
                """{"reasoning_content":" so."}""",
                """{"content":"Hi"}""",
                "{}",
            ],
            events[..^1]
                .Select(static e => JsonElement.Parse(e).GetProperty("choices")[0].GetProperty("delta").GetRawText())
        );
        Assert.All(events[..^1], static e => Assert.DoesNotContain("service_tier", e, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ollama_says_the_least_and_calls_in_one_event()
    {
        var events = Wire.EventsIn(await _provider.TextAsync(Streamed("""{"as":"ollama","tool_calls":2}""")));

        Assert.Equal(5, events.Length);
        Assert.Equal(
            """{"location":"Tokyo"}""",
            JsonElement
                .Parse(events[2])
                .GetProperty("choices")[0]
                .GetProperty("delta")
                .GetProperty("tool_calls")[0]
                .GetProperty("function")
                .GetProperty("arguments")
                .GetString()
        );
        Assert.All(
            events[..^1],
            static e =>
            {
                Assert.Contains("\"system_fingerprint\":\"fp_ollama\"", e, StringComparison.Ordinal);
                Assert.Contains("\"role\":\"assistant\"", e, StringComparison.Ordinal);
                Assert.DoesNotContain("logprobs", e, StringComparison.Ordinal);
                Assert.DoesNotContain("\"usage\"", e, StringComparison.Ordinal);
            }
        );
    }

    [Fact]
    public async Task Calls_may_come_whole_and_without_ids()
    {
        var events = Wire.EventsIn(
            await _provider.TextAsync(Streamed("""{"tool_calls":1,"whole_calls":true,"no_ids":true}"""))
        );

        Assert.Equal(3, events.Length);
        Assert.Equal(
            """[{"index":0,"type":"function","function":{"name":"get_weather","arguments":"{\"location\":\"Paris\"}"}}]""",
            JsonElement
                .Parse(events[0])
                .GetProperty("choices")[0]
                .GetProperty("delta")
                .GetProperty("tool_calls")
                .GetRawText()
        );
        Assert.All(events[..^1], static e => Assert.False(JsonElement.Parse(e).TryGetProperty("id", out _)));
    }

    [Theory]
    [InlineData("openrouter", "code", "429")]
    [InlineData("vllm", "type", "\"TooManyRequestsError\"")]
    [InlineData("ollama", "type", "\"invalid_request_error\"")]
    [InlineData("azure", "code", "\"429\"")]
    public async Task Each_has_errors_of_its_own(string provider, string field, string value)
    {
        using var response = await _provider.PostAsync(Commanded($$"""{"as":"{{provider}}","status":429}"""));

        Assert.Equal(
            value,
            (await response.ErrorAsync(HttpStatusCode.TooManyRequests)).GetProperty(field).GetRawText()
        );
    }

    private static string Commanded(string commands) => Wire.Chat($"\"x_upstream\":{commands}");

    private static string Streamed(string commands) => Wire.Chat($"\"stream\":true,\"x_upstream\":{commands}");

    private static string WithoutComments(string text) =>
        string.Join("\n\n", text.Split("\n\n").Where(static part => !part.StartsWith(':')));
}
