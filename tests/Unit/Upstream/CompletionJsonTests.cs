using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class CompletionJsonTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task A_plain_answer_is_openais_to_the_byte()
    {
        var raw = await _provider.RawAsync(Wire.Chat(), static text => text.EndsWith("}\n", StringComparison.Ordinal));

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", raw.Head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/json\r\n", raw.Head, StringComparison.Ordinal);
        Assert.Equal(
            """
            {
              "id": "chatcmpl-ID",
              "object": "chat.completion",
              "created": 1,
              "model": "gpt-fake",
              "choices": [
                {
                  "index": 0,
                  "message": {
                    "role": "assistant",
                    "content": "Hello! How can I assist you today?",
                    "refusal": null,
                    "annotations": []
                  },
                  "logprobs": null,
                  "finish_reason": "stop"
                }
              ],
              "usage": {
                "prompt_tokens": 19,
                "completion_tokens": 9,
                "total_tokens": 28,
                "prompt_tokens_details": {
                  "cached_tokens": 0,
                  "audio_tokens": 0
                },
                "completion_tokens_details": {
                  "reasoning_tokens": 0,
                  "audio_tokens": 0,
                  "accepted_prediction_tokens": 0,
                  "rejected_prediction_tokens": 0
                }
              },
              "service_tier": "default",
              "system_fingerprint": "fp_644f11dd4d"
            }

            """,
            Wire.Fixed(raw.Body)
        );
    }

    [Fact]
    public async Task Every_answer_has_an_id_of_its_own()
    {
        var first = await _provider.JsonAsync(Wire.Chat());
        var second = await _provider.JsonAsync(Wire.Chat());

        Assert.NotEqual(first.GetProperty("id").GetString(), second.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Created_is_the_time_of_the_providers_clock()
    {
        var time = new FixedTime(DateTimeOffset.FromUnixTimeSeconds(1_741_569_952));
        await using var provider = await FakeProvider.StartAsync(
            new FakeProviderOptions { Time = time },
            TestContext.Current.CancellationToken
        );

        Assert.Equal(1_741_569_952, (await provider.JsonAsync(Wire.Chat())).GetProperty("created").GetInt64());
    }

    [Fact]
    public async Task Id_and_model_may_be_given()
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat(
                """
                "x_upstream":{"id":"chatcmpl-########################################","model":"gpt-fake-2025-01-01"}
                """
            )
        );

        Assert.Equal("chatcmpl-########################################", answer.GetProperty("id").GetString());
        Assert.Equal("gpt-fake-2025-01-01", answer.GetProperty("model").GetString());
        Assert.True(answer.GetProperty("created").GetInt64() > 1_700_000_000);
    }

    [Fact]
    public async Task So_many_choices_come_as_were_asked_for()
    {
        var answer = await _provider.JsonAsync(Wire.Chat("\"n\":3"));

        Assert.Equal(
            [0, 1, 2],
            answer.GetProperty("choices").EnumerateArray().Select(static c => c.GetProperty("index").GetInt32())
        );
        Assert.Equal(27, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Theory]
    [InlineData("""{"text":"Zwölf Boxkämpfer \"jagen\" 🥊"}""", "Zwölf Boxkämpfer \"jagen\" 🥊")]
    [InlineData("""{"text":""}""", "")]
    [InlineData("""{"chunk_text":"ab","chunks":3}""", "ababab")]
    [InlineData("""{"chunks":11}""", "Hello! How can I assist you today?Hello!")]
    [InlineData("""{"bytes":30}""", "abcdefghijklmnopqrstuvwxyzabcd")]
    public async Task The_text_is_what_was_asked_for(string commands, string expected)
    {
        var answer = await _provider.JsonAsync(Wire.Chat($"\"x_upstream\":{commands}"));

        Assert.Equal(expected, ContentOf(answer));
    }

    [Fact]
    public async Task An_echo_says_the_request_back()
    {
        var request = Wire.Chat("\"x_upstream\":{\"echo\":true},\"user\":\"Jörg\"");

        Assert.Equal(request, ContentOf(await _provider.JsonAsync(request)));
    }

    [Fact]
    public async Task A_very_large_answer_arrives_whole()
    {
        var answer = await _provider.JsonAsync(Wire.Chat("\"x_upstream\":{\"bytes\":10485760}"));

        Assert.Equal(10_485_760, ContentOf(answer)!.Length);
    }

    [Fact]
    public async Task Tool_calls_take_the_names_of_the_requests_tools()
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat(
                """
                "tools":[{"type":"function","function":{"name":"lookup"}},{"type":"function","function":{"name":"send"}}],
                "x_upstream":{"tool_calls":3}
                """
            )
        );

        var choice = answer.GetProperty("choices")[0];
        var calls = choice.GetProperty("message").GetProperty("tool_calls").EnumerateArray().ToList();
        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("message").GetProperty("content").ValueKind);
        Assert.Equal(
            ["lookup", "send", "lookup"],
            calls.Select(static c => c.GetProperty("function").GetProperty("name").GetString())
        );
        Assert.Equal(
            3,
            calls.Select(static c => c.GetProperty("id").GetString()).Distinct(StringComparer.Ordinal).Count()
        );
        Assert.All(calls, static c => Assert.Matches("^call_[0-9]{24}$", c.GetProperty("id").GetString()));
        Assert.All(
            calls,
            static c => JsonElement.Parse(c.GetProperty("function").GetProperty("arguments").GetString()!)
        );
    }

    [Fact]
    public async Task Tool_calls_may_be_given_whole_and_need_not_be_valid()
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat(
                """
                "x_upstream":{"text":"Let me look.","tool_calls":[
                  {"id":"call_a","name":"one","arguments":{"x":1}},{"name":"two","arguments":"{\"x\":"}]}
                """
            )
        );

        var message = answer.GetProperty("choices")[0].GetProperty("message");
        Assert.Equal("Let me look.", message.GetProperty("content").GetString());
        Assert.Equal("call_a", message.GetProperty("tool_calls")[0].GetProperty("id").GetString());
        Assert.Equal("""{"x":1}""", ArgumentsOf(message, 0));
        Assert.Equal("""{"x":""", ArgumentsOf(message, 1));
    }

    [Theory]
    [InlineData("\"zero\"", """{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"cached":0,"reasoning":0}""")]
    [InlineData(
        "\"details\"",
        """{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,"cached":1920,"reasoning":192}"""
    )]
    [InlineData(
        "\"wrong\"",
        """{"prompt_tokens":1000000,"completion_tokens":-5,"total_tokens":7,"cached":2000000,"reasoning":3000000}"""
    )]
    public async Task Usage_may_be_other_than_honest(string usage, string expected)
    {
        var found = (
            await _provider.JsonAsync(
                Wire.Chat(
                    $$"""
                    "x_upstream":{"usage":{{usage}}}
                    """
                )
            )
        ).GetProperty("usage");

        var wanted = JsonElement.Parse(expected);
        foreach (var name in new[] { "prompt_tokens", "completion_tokens", "total_tokens" })
            Assert.Equal(wanted.GetProperty(name).GetInt32(), found.GetProperty(name).GetInt32());
        Assert.Equal(
            wanted.GetProperty("cached").GetInt32(),
            found.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32()
        );
        Assert.Equal(
            wanted.GetProperty("reasoning").GetInt32(),
            found.GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32()
        );
    }

    [Theory]
    [InlineData("\"none\"", null)]
    [InlineData("\"null\"", "null")]
    [InlineData("null", "null")]
    [InlineData("""{"prompt_tokens":"many"}""", """{"prompt_tokens":"many"}""")]
    public async Task Usage_may_be_missing_null_or_given(string usage, string? expected)
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat(
                $$"""
                "x_upstream":{"usage":{{usage}}}
                """
            )
        );

        Assert.Equal(expected, answer.TryGetProperty("usage", out var found) ? found.GetRawText() : null);
    }

    [Fact]
    public async Task Minimal_usage_has_no_details()
    {
        var answer = await _provider.JsonAsync(Wire.Chat("\"x_upstream\":{\"usage\":\"minimal\"}"));

        Assert.Equal(
            ["prompt_tokens", "completion_tokens", "total_tokens"],
            answer.GetProperty("usage").EnumerateObject().Select(static p => p.Name)
        );
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("\"empty\"", "[]")]
    [InlineData("\"missing\"", null)]
    public async Task Choices_may_be_null_empty_or_missing(string choices, string? expected)
    {
        var answer = await _provider.JsonAsync(
            Wire.Chat(
                $$"""
                "x_upstream":{"choices":{{choices}}}
                """
            )
        );

        Assert.Equal(expected, answer.TryGetProperty("choices", out var found) ? found.GetRawText() : null);
    }

    [Fact]
    public async Task A_finish_reason_may_be_given()
    {
        var answer = await _provider.JsonAsync(Wire.Chat("\"x_upstream\":{\"finish_reason\":\"content_filter\"}"));

        Assert.Equal("content_filter", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Garbage_is_a_200_that_is_no_json()
    {
        var text = await _provider.TextAsync(Wire.Chat("\"x_upstream\":{\"garbage_after\":0}"));

        Assert.ThrowsAny<JsonException>(() => JsonElement.Parse(text));
    }

    [Fact]
    public async Task An_error_may_come_as_a_200()
    {
        var answer = await _provider.JsonAsync(Wire.Chat("\"x_upstream\":{\"error_after\":0}"));

        Assert.Equal("server_error", answer.GetProperty("error").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Models_are_listed_as_openai_lists_them()
    {
        using var response = await _provider.GetAsync("models");

        Assert.Equal(
            """
            {
              "object": "list",
              "data": [
                {
                  "id": "gpt-fake",
                  "object": "model",
                  "created": 1715367049,
                  "owned_by": "system"
                },
                {
                  "id": "gpt-fake-mini",
                  "object": "model",
                  "created": 1715367049,
                  "owned_by": "system"
                }
              ]
            }

            """,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task One_model_is_shown_and_an_unknown_one_is_not()
    {
        using var known = await _provider.GetAsync("models/gpt-fake-mini");
        using var unknown = await _provider.GetAsync("models/gpt-none");

        var text = await known.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("gpt-fake-mini", JsonElement.Parse(text).GetProperty("id").GetString());
        var error = await unknown.ErrorAsync(HttpStatusCode.NotFound);
        Assert.Equal("model_not_found", error.GetProperty("code").GetString());
        Assert.Contains("`gpt-none`", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static string? ContentOf(JsonElement answer) =>
        answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();

    private static string? ArgumentsOf(JsonElement message, int index) =>
        message.GetProperty("tool_calls")[index].GetProperty("function").GetProperty("arguments").GetString();

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
