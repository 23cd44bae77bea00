using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class ResponseTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task A_plain_answer_is_openais_to_the_byte()
    {
        using var response = await _provider.RespondAsync(ResponsesWire.Request());

        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            """
            {
              "id": "resp_ID",
              "object": "response",
              "created_at": 1,
              "status": "completed",
              "background": false,
              "completed_at": 1,
              "error": null,
              "frequency_penalty": 0.0,
              "incomplete_details": null,
              "instructions": null,
              "max_output_tokens": null,
              "max_tool_calls": null,
              "model": "gpt-fake",
              "output": [
                {
                  "id": "msg_ID00",
                  "type": "message",
                  "status": "completed",
                  "content": [
                    {
                      "type": "output_text",
                      "annotations": [],
                      "logprobs": [],
                      "text": "Hello! How can I assist you today?"
                    }
                  ],
                  "role": "assistant"
                }
              ],
              "parallel_tool_calls": true,
              "presence_penalty": 0.0,
              "previous_response_id": null,
              "prompt_cache_key": null,
              "prompt_cache_retention": null,
              "reasoning": {
                "effort": null,
                "summary": null
              },
              "safety_identifier": null,
              "service_tier": "default",
              "store": true,
              "temperature": 1.0,
              "text": {
                "format": {
                  "type": "text"
                },
                "verbosity": "medium"
              },
              "tool_choice": "auto",
              "tools": [],
              "top_logprobs": 0,
              "top_p": 1.0,
              "truncation": "disabled",
              "usage": {
                "input_tokens": 19,
                "input_tokens_details": {
                  "cached_tokens": 0
                },
                "output_tokens": 9,
                "output_tokens_details": {
                  "reasoning_tokens": 0
                },
                "total_tokens": 28
              },
              "user": null,
              "metadata": {}
            }

            """,
            ResponsesWire.Fixed(await response.TextAsync())
        );
    }

    [Fact]
    public async Task What_was_asked_comes_back()
    {
        var response = await _provider.ResponseAsync(
            ResponsesWire.Request(
                """
                "instructions":"Be brief","temperature":0.5,"metadata":{"a":"b"},"max_output_tokens":100,"store":false,
                "tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":"required","text":{"format":{"type":"json_object"}}
                """
            )
        );

        Assert.Equal("Be brief", response.GetProperty("instructions").GetString());
        Assert.Equal("0.5", response.GetProperty("temperature").GetRawText());
        Assert.Equal("b", response.GetProperty("metadata").GetProperty("a").GetString());
        Assert.Equal("required", response.GetProperty("tool_choice").GetString());
        Assert.False(response.GetProperty("store").GetBoolean());
        Assert.Equal("f", response.GetProperty("tools")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_stream_has_the_recorded_events_in_their_order()
    {
        var text = await _provider.ResponseTextAsync(
            ResponsesWire.Request("\"stream\":true,\"x_upstream\":{\"text\":\"Hi you\"}")
        );
        var events = Wire.NamedEventsIn(text);

        Assert.Equal(
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.completed",
            ],
            events.Select(static e => e.Name)
        );
        ResponsesWire.AssertNumbered(events);
        Assert.Equal(
            """
            {"type":"response.output_item.added","item":{"id":"msg_ID00","type":"message","status":"in_progress","content":[],"role":"assistant"},"output_index":0,"sequence_number":2}
            {"type":"response.content_part.added","content_index":0,"item_id":"msg_ID00","output_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""},"sequence_number":3}
            {"type":"response.output_text.delta","content_index":0,"delta":"Hi","item_id":"msg_ID00","logprobs":[],"obfuscation":"v3JkrR4kfc2Yj6","output_index":0,"sequence_number":4}
            {"type":"response.output_text.delta","content_index":0,"delta":" you","item_id":"msg_ID00","logprobs":[],"obfuscation":"v3JkrR4kfc2Y","output_index":0,"sequence_number":5}
            {"type":"response.output_text.done","content_index":0,"item_id":"msg_ID00","logprobs":[],"output_index":0,"sequence_number":6,"text":"Hi you"}
            {"type":"response.content_part.done","content_index":0,"item_id":"msg_ID00","output_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":"Hi you"},"sequence_number":7}
            {"type":"response.output_item.done","item":{"id":"msg_ID00","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hi you"}],"role":"assistant"},"output_index":0,"sequence_number":8}
            """,
            string.Join('\n', events[2..9].Select(static e => ResponsesWire.Fixed(e.Data.GetRawText())))
        );
        var created = events[0].Data.GetProperty("response");
        Assert.Equal(
            ("in_progress", "null", "auto"),
            (
                created.GetProperty("status").GetString(),
                created.GetProperty("usage").GetRawText(),
                created.GetProperty("service_tier").GetString()
            )
        );
        Assert.Equal(
            21,
            events[^1].Data.GetProperty("response").GetProperty("usage").GetProperty("total_tokens").GetInt32()
        );
    }

    [Fact]
    public async Task Reasoning_and_calls_are_items_of_their_own()
    {
        const string Commands = """{"reasoning":"So so.","redacted":true,"tool_calls":2,"arguments_chunk":10}""";
        var events = Wire.NamedEventsIn(
            await _provider.ResponseTextAsync(ResponsesWire.Request($"\"stream\":true,\"x_upstream\":{Commands}"))
        );
        var response = events[^1].Data.GetProperty("response");
        var whole = await _provider.ResponseAsync(ResponsesWire.Request($"\"x_upstream\":{Commands}"));

        Assert.Equal(
            [
                "output_item.added",
                "reasoning_summary_part.added",
                "reasoning_summary_text.delta",
                "reasoning_summary_text.delta",
                "reasoning_summary_text.done",
                "reasoning_summary_part.done",
                "output_item.done",
                "output_item.added",
                "function_call_arguments.delta",
                "function_call_arguments.delta",
                "function_call_arguments.done",
                "output_item.done",
            ],
            events[2..14].Select(static e => e.Name["response.".Length..])
        );
        ResponsesWire.AssertNumbered(events);
        Assert.Equal(
            ["reasoning", "function_call", "function_call"],
            response.GetProperty("output").EnumerateArray().Select(static i => i.GetProperty("type").GetString())
        );
        Assert.Equal(
            """{"location":"Tokyo"}""",
            response.GetProperty("output")[2].GetProperty("arguments").GetString()
        );
        Assert.StartsWith(
            "gAAAA",
            response.GetProperty("output")[0].GetProperty("encrypted_content").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal(
            3,
            response
                .GetProperty("output")
                .EnumerateArray()
                .Select(static i => i.GetProperty("id").GetString())
                .Distinct(StringComparer.Ordinal)
                .Count()
        );
        // Each done item is the one that the whole response has.
        Assert.Equal(
            response.GetProperty("output").EnumerateArray().Select(static i => i.GetRawText()),
            events
                .Where(static e => e.Name is "response.output_item.done")
                .Select(static e => e.Data.GetProperty("item").GetRawText())
        );
        Assert.Equal(
            2,
            whole.GetProperty("usage").GetProperty("output_tokens_details").GetProperty("reasoning_tokens").GetInt32()
        );
    }

    [Theory]
    [InlineData("""{"finish_reason":"max_output_tokens"}""", "response.incomplete", "incomplete", "max_output_tokens")]
    [InlineData("""{"finish_reason":"failed"}""", "response.failed", "failed", "server_error")]
    public async Task It_may_end_otherwise(string commands, string last, string status, string reason)
    {
        var events = Wire.NamedEventsIn(
            await _provider.ResponseTextAsync(ResponsesWire.Request($"\"stream\":true,\"x_upstream\":{commands}"))
        );
        var whole = await _provider.ResponseAsync(ResponsesWire.Request($"\"x_upstream\":{commands}"));

        Assert.Equal(last, events[^1].Name);
        foreach (var response in new[] { whole, events[^1].Data.GetProperty("response") })
        {
            Assert.Equal(status, response.GetProperty("status").GetString());
            Assert.Equal(
                reason,
                status is "failed"
                    ? response.GetProperty("error").GetProperty("code").GetString()
                    : response.GetProperty("incomplete_details").GetProperty("reason").GetString()
            );
        }
    }

    [Fact]
    public async Task A_refusal_is_a_part_of_its_own()
    {
        var events = Wire.NamedEventsIn(
            await _provider.ResponseTextAsync(
                ResponsesWire.Request("\"stream\":true,\"x_upstream\":{\"refusal\":\"I will not.\"}")
            )
        );

        Assert.Equal(3, events.Count(static e => e.Name is "response.refusal.delta"));
        Assert.Equal(
            """{"type":"refusal","refusal":"I will not."}""",
            events[^1].Data.GetProperty("response").GetProperty("output")[0].GetProperty("content")[0].GetRawText()
        );
    }

    [Fact]
    public async Task Citations_logprobs_keepalives_and_unknown_things_come_on_command()
    {
        var events = Wire.NamedEventsIn(
            await _provider.ResponseTextAsync(
                ResponsesWire.Request(
                    "\"stream\":true,\"x_upstream\":{\"text\":\"Hi\",\"citations\":true,\"logprobs\":true,\"ping_every\":4,\"unknown_after\":1,\"unknown_block\":true}"
                )
            )
        );

        ResponsesWire.AssertNumbered(events);
        Assert.Equal("response.future.delta", events[1].Name);
        Assert.Equal("keepalive", events[5].Name);
        Assert.Contains("response.output_text.annotation.added", events.Select(static e => e.Name));
        Assert.Contains("response.future_call.delta", events.Select(static e => e.Name));
        Assert.Equal(
            """[{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[]}]""",
            events.First(static e => e.Name is "response.output_text.delta").Data.GetProperty("logprobs").GetRawText()
        );
    }

    [Fact]
    public async Task A_stream_can_end_in_an_error()
    {
        var events = Wire.NamedEventsIn(
            await _provider.ResponseTextAsync(
                ResponsesWire.Request(
                    "\"stream\":true,\"x_upstream\":{\"error_after\":4,\"error_code\":\"rate_limit_exceeded\"}"
                )
            )
        );

        Assert.Equal(
            """{"type":"error","code":"rate_limit_exceeded","message":"The server had an error while processing your request. Sorry about that!","param":null,"sequence_number":4}""",
            events[^1].Data.GetRawText()
        );
        Assert.Equal(5, events.Count);
    }
}
