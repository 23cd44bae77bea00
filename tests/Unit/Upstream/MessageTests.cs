using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class MessageTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task A_plain_answer_is_anthropics_to_the_byte()
    {
        using var response = await _provider.MessageAsync(AnthropicWire.Message());
        var text = await response.TextAsync();

        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Matches("^req_[0-9a-f]{8}[0-9]{16}$", Assert.Single(response.Headers.GetValues("request-id")));
        Assert.Equal(
            """
            {"model":"claude-fake","id":"msg_ID","type":"message","role":"assistant","content":[{"type":"text","text":"Hello! How can I assist you today?"}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":9,"service_tier":"standard","inference_geo":"not_available"}}
            """,
            AnthropicWire.Fixed(text)
        );
    }

    [Fact]
    public async Task A_stream_is_anthropics_to_the_byte()
    {
        using var response = await _provider.MessageAsync(
            AnthropicWire.Message("\"stream\":true,\"x_upstream\":{\"text\":\"Hi you\"}")
        );
        var text = await response.TextAsync();

        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            """
            event: message_start
            data: {"type":"message_start","message":{"model":"claude-fake","id":"msg_ID","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard","inference_geo":"not_available"}}}

            event: content_block_start
            data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

            event: ping
            data: {"type": "ping"}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" you"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":0}

            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}

            event: message_stop
            data: {"type":"message_stop"}


            """,
            // Anthropic pads its events with spaces, by which sizes on the wire do not tell tokens.
            string.Join('\n', AnthropicWire.Fixed(text).Split('\n').Select(WithoutPadding))
        );
        Assert.Contains("  }\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Thinking_text_and_calls_are_blocks_of_their_own()
    {
        const string Commands =
            """{"reasoning":"So so.","redacted":true,"text":"Let me see","tool_calls":2,"arguments_chunk":10}""";
        const string Tools = """
            "tools":[{"name":"one","input_schema":{"type":"object"}},{"name":"two","input_schema":{"type":"object"}}]
            """;
        var body = AnthropicWire.Message($"{Tools},\"x_upstream\":{Commands}");
        var message = await _provider.MessageJsonAsync(body);
        var events = await _provider.MessageEventsAsync(
            AnthropicWire.Message($"{Tools},\"stream\":true,\"x_upstream\":{Commands}")
        );

        Assert.Equal("tool_use", message.GetProperty("stop_reason").GetString());
        Assert.Equal(
            """
            {"type":"text","text":"Let me see"} {"type":"tool_use","id":"toolu_ID","name":"one","input":{"location":"Paris"},"caller":{"type":"direct"}} {"type":"tool_use","id":"toolu_ID","name":"two","input":{"location":"Tokyo"},"caller":{"type":"direct"}}
            """,
            AnthropicWire.Fixed(
                string.Join(
                    ' ',
                    message.GetProperty("content").EnumerateArray().Skip(2).Select(static b => b.GetRawText())
                )
            )
        );
        Assert.Equal(AnthropicWire.Fixed(message.GetProperty("content").GetRawText()), Assemble(events));
        Assert.Equal(
            [
                "redacted_thinking",
                "ping",
                "stop",
                "thinking",
                "thinking_delta",
                "thinking_delta",
                "signature_delta",
                "stop",
                "text",
                "text_delta",
                "text_delta",
                "text_delta",
                "stop",
                "tool_use",
                "input_json_delta",
                "input_json_delta",
                "input_json_delta",
                "stop",
                "tool_use",
            ],
            events.Skip(1).Take(19).Select(Kind)
        );
        Assert.Equal("", events[15].Data.GetProperty("delta").GetProperty("partial_json").GetString());
        Assert.Equal(
            2,
            message.GetProperty("usage").GetProperty("output_tokens_details").GetProperty("thinking_tokens").GetInt32()
        );
    }

    [Fact]
    public async Task Thinking_may_come_before_each_call()
    {
        var message = await _provider.MessageJsonAsync(
            AnthropicWire.Message("\"x_upstream\":{\"reasoning\":true,\"tool_calls\":2,\"interleave\":true}")
        );

        Assert.Equal(
            ["thinking", "tool_use", "thinking", "tool_use"],
            message.GetProperty("content").EnumerateArray().Select(static b => b.GetProperty("type").GetString())
        );
    }

    [Fact]
    public async Task A_citation_has_a_delta_of_its_own()
    {
        var events = await _provider.MessageEventsAsync(
            AnthropicWire.Message("\"stream\":true,\"x_upstream\":{\"citations\":true,\"text\":\"Green\"}")
        );

        Assert.Equal(
            """{"type":"text","text":"","citations":[]}""",
            events[1].Data.GetProperty("content_block").GetRawText()
        );
        Assert.Equal(
            """{"type":"citations_delta","citation":{"type":"char_location","cited_text":"The grass is green.","document_index":0,"document_title":"Example Document","start_char_index":0,"end_char_index":19,"file_id":null}}""",
            events[4].Data.GetProperty("delta").GetRawText()
        );
    }

    [Theory]
    [InlineData("""{"finish_reason":"max_tokens"}""", "max_tokens", null)]
    [InlineData("""{"finish_reason":"pause_turn"}""", "pause_turn", null)]
    [InlineData("""{"stop_sequence":"END"}""", "stop_sequence", "END")]
    [InlineData("""{"tool_calls":1}""", "tool_use", null)]
    [InlineData("""{"refusal":"No."}""", "refusal", null)]
    public async Task It_stops_for_every_reason(string commands, string reason, string? sequence)
    {
        var message = await _provider.MessageJsonAsync(AnthropicWire.Message($"\"x_upstream\":{commands}"));
        var events = await _provider.MessageEventsAsync(
            AnthropicWire.Message($"\"stream\":true,\"x_upstream\":{commands}")
        );

        var delta = events[^2].Data.GetProperty("delta");
        foreach (var end in new[] { message, delta })
        {
            Assert.Equal(reason, end.GetProperty("stop_reason").GetString());
            Assert.Equal(sequence, end.GetProperty("stop_sequence").GetString());
            Assert.Equal(
                reason is "refusal" ? """{"type":"refusal","category":null,"explanation":"No."}""" : "null",
                end.GetProperty("stop_details").GetRawText()
            );
        }
    }

    [Theory]
    [InlineData("zero", 0, 0, 0, 0)]
    [InlineData("details", 86, 420, 1500, 300)]
    [InlineData("wrong", 1_000_000, 0, 2_000_000, -5)]
    public async Task Usage_comes_as_commanded(string usage, int input, int written, int read, int output)
    {
        var commands = $"\"x_upstream\":{{\"usage\":\"{usage}\"}}";
        var message = (await _provider.MessageJsonAsync(AnthropicWire.Message(commands))).GetProperty("usage");
        var events = await _provider.MessageEventsAsync(AnthropicWire.Message("\"stream\":true," + commands));

        foreach (var figures in new[] { message, events[^2].Data.GetProperty("usage") })
        {
            Assert.Equal(
                (input, written, read, output),
                (
                    figures.GetProperty("input_tokens").GetInt32(),
                    figures.GetProperty("cache_creation_input_tokens").GetInt32(),
                    figures.GetProperty("cache_read_input_tokens").GetInt32(),
                    figures.GetProperty("output_tokens").GetInt32()
                )
            );
        }

        var details = message.GetProperty("cache_creation");
        Assert.Equal(
            written,
            details.GetProperty("ephemeral_5m_input_tokens").GetInt32()
                + details.GetProperty("ephemeral_1h_input_tokens").GetInt32()
        );
    }

    [Theory]
    [InlineData("""{"usage":"none"}""", null, null)]
    [InlineData("""{"usage":"null"}""", "null", "null")]
    [InlineData("""{"usage":"minimal"}""", """{"input_tokens":19,"output_tokens":1}""", """{"output_tokens":9}""")]
    [InlineData("""{"usage":{"a":1}}""", """{"a":1}""", """{"a":1}""")]
    [InlineData("""{"usage":"minimal","usage_in":"start"}""", """{"input_tokens":19,"output_tokens":9}""", null)]
    [InlineData(
        """{"usage":"minimal","usage_in":"finish"}""",
        """{"input_tokens":0,"output_tokens":0}""",
        """{"output_tokens":9}"""
    )]
    public async Task Usage_stands_where_it_was_commanded(string commands, string? start, string? end)
    {
        var events = await _provider.MessageEventsAsync(
            AnthropicWire.Message($"\"stream\":true,\"x_upstream\":{commands}")
        );

        Assert.Equal(start, Usage(events[0].Data.GetProperty("message")));
        Assert.Equal(end, Usage(events[^2].Data));

        static string? Usage(JsonElement of) => of.TryGetProperty("usage", out var usage) ? usage.GetRawText() : null;
    }

    [Fact]
    public async Task Pings_and_unknown_things_come_on_command()
    {
        var events = await _provider.MessageEventsAsync(
            AnthropicWire.Message(
                "\"stream\":true,\"x_upstream\":{\"chunks\":3,\"ping_every\":2,\"unknown_after\":4,\"unknown_block\":true}"
            )
        );

        Assert.Equal(
            [
                "message_start",
                "text",
                "ping",
                "text_delta",
                "future_event",
                "text_delta",
                "ping",
                "text_delta",
                "stop",
                "ping",
                "future_block",
                "future_delta",
                "ping",
                "stop",
                "message_delta",
                "ping",
                "message_stop",
            ],
            events.Select(Kind)
        );
    }

    [Theory]
    [InlineData("""{"error_after":4}""", 5, "overloaded_error", "Overloaded")]
    [InlineData("""{"error_after":0,"error_type":"api_error","error_message":"Oh"}""", 1, "api_error", "Oh")]
    public async Task A_stream_can_end_in_an_error(string commands, int count, string type, string message)
    {
        var events = await _provider.MessageEventsAsync(
            AnthropicWire.Message($"\"stream\":true,\"x_upstream\":{commands}")
        );

        Assert.Equal(count, events.Count);
        Assert.Equal("error", events[^1].Name);
        Assert.Equal("error", events[^1].Data.GetProperty("type").GetString());
        var error = events[^1].Data.GetProperty("error");
        Assert.Equal(
            (type, message),
            (error.GetProperty("type").GetString(), error.GetProperty("message").GetString())
        );
    }

    [Fact]
    public async Task A_stream_can_have_garbage_in_it_and_lack_its_end()
    {
        using var response = await _provider.MessageAsync(
            AnthropicWire.Message("\"stream\":true,\"x_upstream\":{\"garbage_after\":3,\"done\":false}")
        );
        var text = await response.TextAsync();

        Assert.StartsWith(
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_de",
            text.Split("\n\n")[3],
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("message_stop", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, "invalid_request_error")]
    [InlineData(401, "authentication_error")]
    [InlineData(403, "permission_error")]
    [InlineData(404, "not_found_error")]
    [InlineData(413, "request_too_large")]
    [InlineData(429, "rate_limit_error")]
    [InlineData(500, "api_error")]
    [InlineData(504, "timeout_error")]
    [InlineData(529, "overloaded_error")]
    public async Task Every_status_has_its_type(int status, string type)
    {
        using var response = await _provider.MessageAsync(
            AnthropicWire.Message($"\"x_upstream\":{{\"status\":{status},\"retry_after\":2,\"provider_headers\":true}}")
        );

        Assert.Equal(type, (await response.AnthropicErrorAsync((HttpStatusCode)status)).Type);
        Assert.Equal("2", Assert.Single(response.Headers.GetValues("retry-after")));
        Assert.Equal("4000", Assert.Single(response.Headers.GetValues("anthropic-ratelimit-requests-limit")));
        Assert.Single(response.Headers.GetValues("anthropic-organization-id"));
    }

    [Theory]
    [InlineData("""{"choices":"null"}""", "The command 'choices' means nothing for a message.")]
    [InlineData("""{"nonsense":1}""", "There is no command 'nonsense'. ")]
    [InlineData("""{"cut_after":99}""", "The command 'cut_after' names the position 99, but the answer has 1 events.")]
    [InlineData("""{"usage_in":"every"}""", "The command 'usage_in' takes final, start or finish here.")]
    public async Task A_wrong_command_is_refused_with_a_sentence(string commands, string sentence)
    {
        using var response = await _provider.MessageAsync(AnthropicWire.Message($"\"x_upstream\":{commands}"));

        var (type, message) = await response.AnthropicErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equal("invalid_request_error", type);
        Assert.StartsWith(sentence, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_come_by_model_header_and_query_too()
    {
        using var byModel = await _provider.MessageAsync(AnthropicWire.Message(model: "claude-fake@status=529"));
        using var byHeader = await _provider.PostAsync(
            "messages",
            Wire.Json(AnthropicWire.Message()),
            [.. AnthropicWire.Headers, ("x-upstream-commands", "status=529")]
        );
        using var byQuery = await _provider.PostAsync(
            "messages?x_upstream=" + Uri.EscapeDataString("""{"status":529}"""),
            Wire.Json(AnthropicWire.Message()),
            AnthropicWire.Headers
        );

        foreach (var response in new[] { byModel, byHeader, byQuery })
            Assert.Equal(("overloaded_error", "Overloaded"), await response.AnthropicErrorAsync((HttpStatusCode)529));
    }

    [Theory]
    [InlineData("cut_after", ConnectionEnd.Reset)]
    [InlineData("close_after", ConnectionEnd.Closed)]
    public async Task Delivery_commands_are_the_same_as_on_every_wire(string command, ConnectionEnd end)
    {
        var marker = Guid.NewGuid().ToString("N");
        var raw = await _provider.RawAsync(
            AnthropicWire.Message($"\"stream\":true,\"x_upstream\":{{\"{command}\":3,\"marker\":\"{marker}\"}}"),
            path: "/v1/messages",
            headers: "x-api-key: sk-fake\r\nanthropic-version: 2023-06-01\r\n"
        );

        Assert.Equal((3, end), (raw.Chunks().Count, raw.End));
        Assert.Equal(3, Assert.Single(_provider.Requests.Of(marker)).EventsWritten);
    }

    private static string Kind((string Name, JsonElement Data) e) =>
        e.Name switch
        {
            "content_block_start" => e.Data.GetProperty("content_block").GetProperty("type").GetString()!,
            "content_block_delta" => e.Data.GetProperty("delta").GetProperty("type").GetString()!,
            "content_block_stop" => "stop",
            _ => e.Name,
        };

    private static string WithoutPadding(string line) => line.EndsWith('}') ? line[..^1].TrimEnd(' ') + "}" : line;

    /// <summary>The content that a client puts together from a stream.</summary>
    private static string Assemble(List<(string Name, JsonElement Data)> events)
    {
        var blocks = new List<string>();
        foreach (var (name, data) in events)
        {
            if (name is "content_block_start")
                blocks.Add(data.GetProperty("content_block").GetRawText());
            if (name is not "content_block_delta")
                continue;
            var delta = data.GetProperty("delta");
            var block = blocks[^1];
            blocks[^1] = delta.GetProperty("type").GetString() switch
            {
                "text_delta" => Append(block, "\"text\":\"", delta.GetProperty("text").GetRawText().Trim('"')),
                "thinking_delta" => Append(
                    block,
                    "\"thinking\":\"",
                    delta.GetProperty("thinking").GetRawText().Trim('"')
                ),
                "signature_delta" => Append(block, "\"signature\":\"", delta.GetProperty("signature").GetString()!),
                _ => AppendInput(block, delta.GetProperty("partial_json").GetString()!),
            };
        }

        return AnthropicWire.Fixed($"[{string.Join(',', blocks)}]");

        static string Append(string block, string field, string piece)
        {
            var end = block.IndexOf('"', block.IndexOf(field, StringComparison.Ordinal) + field.Length);
            return block.Insert(end, piece);
        }

        static string AppendInput(string block, string piece)
        {
            var end = block.IndexOf(",\"caller\"", StringComparison.Ordinal);
            // The first piece takes the place of the empty object.
            return piece.StartsWith('{') ? block.Remove(end - 2, 2).Insert(end - 2, piece) : block.Insert(end, piece);
        }
    }
}
