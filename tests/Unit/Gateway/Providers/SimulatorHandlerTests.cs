using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Providers.Simulator;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Tests.Unit.Gateway.Providers;

public sealed class SimulatorHandlerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly HttpMessageInvoker _simulator;
    private readonly CancellationTokenSource _timeout = new(Patience);

    public SimulatorHandlerTests() => _simulator = new HttpMessageInvoker(new SimulatorHandler(_time));

    public void Dispose()
    {
        _simulator.Dispose();
        _timeout.Dispose();
    }

    [Fact]
    public async Task A_first_call_is_told_who_answers_and_what_it_said()
    {
        using var response = await SendAsync(
            """{"model":"simulator","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Is \"é\" there?"}]}"""
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        var body = await response.Content.ReadAsStringAsync(_timeout.Token);
        Assert.Equal(Encoding.UTF8.GetByteCount(body), response.Content.Headers.ContentLength);
        var answer = JsonNode.Parse(body)!;
        Assert.StartsWith("chatcmpl-", (string)answer["id"]!, StringComparison.Ordinal);
        Assert.Equal("chat.completion", (string)answer["object"]!);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds(), (long)answer["created"]!);
        Assert.Equal("simulator", (string)answer["model"]!);
        var choice = Assert.Single(answer["choices"]!.AsArray())!;
        Assert.Equal((0, "stop"), ((int)choice["index"]!, (string)choice["finish_reason"]!));
        Assert.Equal("assistant", (string)choice["message"]!["role"]!);
        var text = (string)choice["message"]!["content"]!;
        Assert.Contains("built-in simulator", text, StringComparison.Ordinal);
        Assert.Contains("You said: \"Is \"é\" there?\".", text, StringComparison.Ordinal);
        // Two words and three; then the words of the answer.
        Assert.Equal(5, (int)answer["usage"]!["prompt_tokens"]!);
        Assert.Equal(WordsIn(text), (int)answer["usage"]!["completion_tokens"]!);
        Assert.Equal(5 + WordsIn(text), (int)answer["usage"]!["total_tokens"]!);
    }

    [Fact]
    public async Task The_same_request_gets_the_same_answer_and_another_another_id()
    {
        const string request = """{"model":"simulator","messages":[{"role":"user","content":"Hi"}]}""";
        var first = await AnswerAsync(request);
        _time.Advance(TimeSpan.FromSeconds(7));
        var second = await AnswerAsync(request);
        var other = await AnswerAsync(request.Replace("Hi", "Ho", StringComparison.Ordinal));

        Assert.Equal(7, (long)second["created"]! - (long)first["created"]!);
        second["created"] = (long)first["created"]!;
        Assert.Equal(first.ToJsonString(), second.ToJsonString());
        Assert.NotEqual((string)first["id"]!, (string)other["id"]!, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_stream_is_as_OpenAI_sends_it()
    {
        var events = await EventsAsync(
            """{"model":"simulator:chunks=2","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        var created = _time.GetUtcNow().ToUnixTimeSeconds();
        var id = (string)JsonNode.Parse(events[0]["data: ".Length..])!["id"]!;
        var head =
            $$"""data: {"id":"{{id}}","object":"chat.completion.chunk","created":{{created}},"model":"simulator:chunks=2","service_tier":"default","system_fingerprint":"fp_simulator","choices":[{"index":0,"delta":""";
        Assert.Equal(
            [
                head
                    + """{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}"""
                    + "\n\n",
                head + """{"content":"Hello!"},"logprobs":null,"finish_reason":null}]}""" + "\n\n",
                head + """{"content":" This"},"logprobs":null,"finish_reason":null}]}""" + "\n\n",
                head + """{},"logprobs":null,"finish_reason":"stop"}]}""" + "\n\n",
                "data: [DONE]\n\n",
            ],
            events,
            StringComparer.Ordinal
        );
    }

    [Fact]
    public async Task Usage_in_a_stream_comes_only_on_request_and_then_every_chunk_has_the_field()
    {
        const string request =
            """{"model":"simulator:chunks=3","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"one two"}]}""";
        var events = await EventsAsync(request);

        Assert.Equal(1 + 3 + 1 + 1 + 1, events.Count);
        Assert.All(events[..^2], e => Assert.EndsWith("}],\"usage\":null}\n\n", e, StringComparison.Ordinal));
        Assert.EndsWith(
            """
            ,"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
            """.Trim() + "\n\n",
            events[^2],
            StringComparison.Ordinal
        );
        Assert.Equal("data: [DONE]\n\n", events[^1]);

        Assert.DoesNotContain(
            await EventsAsync(request.Replace("true}", "false}", StringComparison.Ordinal)),
            e => e.Contains("\"usage\"", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(
            await EventsAsync(request.Replace(":chunks=3", ":chunks=3,no-usage", StringComparison.Ordinal)),
            e => e.Contains("\"usage\"", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(
        """{"model":"simulator","messages":[{"role":"user","content":"Say \ud83d\ude00\n\"now\"\t語"}]STREAM}"""
    )]
    [InlineData("""{"model":"simulator:chunks=50","messages":[{"role":"user","content":"Hi"}],"n":3STREAM}""")]
    [InlineData("""{"model":"simulator","messages":[{"role":"user","content":""}],"max_tokens":7STREAM}""")]
    [InlineData("""{"model":"simulator","messages":[{"role":"user","content":"Hi"}],"stop":["simulator"]STREAM}""")]
    [InlineData("""{"model":"simulator","messages":[{"role":"user","content":"Hi"}],"stop":"Hello"STREAM}""")]
    [InlineData("""{"model":"simulator:tool=a+b","n":2,"messages":[{"role":"user","content":"Hi"}]STREAM}""")]
    [InlineData(
        """{"model":"simulator","tool_choice":"required","tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"place":{"type":"string","enum":["Göteborg, the city on the west coast"]},"long":{"type":"string"}}}}}],"messages":[{"role":"user","content":"Hi"}]STREAM}"""
    )]
    public async Task A_stream_put_together_is_the_answer_that_comes_whole(string request)
    {
        var whole = await AnswerAsync(request.Replace("STREAM", "", StringComparison.Ordinal));
        using var response = await SendAsync(
            request.Replace(
                "STREAM",
                ""","stream":true,"stream_options":{"include_usage":true}""",
                StringComparison.Ordinal
            )
        );
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);

        using var assembler = new ChatStreamAssembler();
        using var reader = new SseReader();
        reader.Feed(await response.Content.ReadAsByteArrayAsync(_timeout.Token));
        while (reader.TryRead(out var sse))
            Assert.NotEqual(ChatStreamEvent.Unreadable, assembler.Add(sse));
        Assert.False(reader.TryReadRemainder(out _));
        Assert.True(assembler.IsDone);
        Assert.True(assembler.HasFinishReason);

        var streamed = JsonNode.Parse(assembler.ToArray())!;
        Assert.Equal(Comparable(whole), Comparable(streamed));

        // The id is made from the body, which is another; what only whole answers have is left out.
        static string Comparable(JsonNode answer)
        {
            var id = (string)answer["id"]!;
            foreach (var choice in answer["choices"]!.AsArray())
                choice!["message"]!.AsObject().Remove("annotations");
            var text = answer.ToJsonString().Replace(id["chatcmpl-".Length..], "", StringComparison.Ordinal);
            var again = JsonNode.Parse(text)!.AsObject();
            return new JsonObject(
                again
                    .OrderBy(m => m.Key, StringComparer.Ordinal)
                    .Select(m => KeyValuePair.Create(m.Key, Sorted(m.Value)))
            ).ToJsonString();
        }

        static JsonNode? Sorted(JsonNode? node) =>
            node switch
            {
                JsonObject members => new JsonObject(
                    members
                        .OrderBy(m => m.Key, StringComparer.Ordinal)
                        .Select(m => KeyValuePair.Create(m.Key, Sorted(m.Value)))
                ),
                JsonArray items => new JsonArray([.. items.Select(Sorted)]),
                _ => node?.DeepClone(),
            };
    }

    [Fact]
    public async Task Each_read_gives_one_event()
    {
        using var response = await SendAsync(
            """{"model":"simulator:chunks=50","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );
        await using var stream = await response.Content.ReadAsStreamAsync(_timeout.Token);
        var buffer = new byte[16 * 1024];
        var reads = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer, _timeout.Token)) > 0)
        {
            reads++;
            Assert.EndsWith("\n\n", Encoding.UTF8.GetString(buffer, 0, read), StringComparison.Ordinal);
            Assert.Equal(1, Encoding.UTF8.GetString(buffer, 0, read).Split("data: ").Length - 1);
        }

        Assert.Equal(1 + 50 + 1 + 1, reads);
    }

    [Fact]
    public async Task A_small_buffer_loses_nothing()
    {
        const string request =
            """{"model":"simulator:chunks=5","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
        using var response = await SendAsync(request);
        await using var stream = await response.Content.ReadAsStreamAsync(_timeout.Token);
        var bytes = new List<byte>();
        var buffer = new byte[7];
        int read;
        while ((read = await stream.ReadAsync(buffer, _timeout.Token)) > 0)
            bytes.AddRange(buffer[..read]);

        Assert.Equal(string.Concat(await EventsAsync(request)), Encoding.UTF8.GetString([.. bytes]));
    }

    [Fact]
    public async Task The_answer_is_cut_after_max_tokens()
    {
        var answer = await AnswerAsync(
            """{"model":"simulator","max_tokens":9,"max_completion_tokens":2,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal("length", (string)answer["choices"]![0]!["finish_reason"]!);
        Assert.Equal("Hello! This", (string)answer["choices"]![0]!["message"]!["content"]!);
        Assert.Equal(2, (int)answer["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task The_answer_ends_before_a_stop_word()
    {
        var answer = await AnswerAsync(
            """{"model":"simulator","stop":[" built","simulator"],"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal("stop", (string)answer["choices"]![0]!["finish_reason"]!);
        Assert.Equal("Hello! This is Verbatim's", ((string)answer["choices"]![0]!["message"]!["content"]!).TrimEnd());
    }

    [Fact]
    public async Task Several_choices_say_which_they_are()
    {
        var answer = await AnswerAsync(
            """{"model":"simulator:chunks=6","n":3,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal(
            [
                (0, "(Choice 1 of 3.) Hello! This"),
                (1, "(Choice 2 of 3.) Hello! This"),
                (2, "(Choice 3 of 3.) Hello! This"),
            ],
            answer["choices"]!.AsArray().Select(c => ((int)c!["index"]!, (string)c["message"]!["content"]!))
        );
        Assert.Equal(18, (int)answer["usage"]!["completion_tokens"]!);
    }

    [Theory]
    [InlineData(
        "\"required\"",
        "get_weather",
        """{"city":"example","days":1,"unit":"C","exact":true,"tags":[],"at":{},"x":"example"}"""
    )]
    [InlineData("""{"type":"function","function":{"name":"get_time"}}""", "get_time", "{}")]
    [InlineData("""{"type":"function","function":{"name":"not_there"}}""", "not_there", "{}")]
    public async Task A_tool_is_called_when_the_request_requires_it(string choice, string name, string arguments)
    {
        var answer = await AnswerAsync(
            """{"model":"simulator","tool_choice":CHOICE,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":["integer","null"]},"unit":{"enum":["C","F"]},"exact":{"type":"boolean"},"tags":{"type":"array"},"at":{"type":"object"},"x":{}}}}},{"type":"function","function":{"name":"get_time"}}],"messages":[{"role":"user","content":"Hi"}]}""".Replace(
                "CHOICE",
                choice,
                StringComparison.Ordinal
            )
        );

        var made = answer["choices"]![0]!;
        Assert.Equal("tool_calls", (string)made["finish_reason"]!);
        Assert.Null((string?)made["message"]!["content"]);
        var call = Assert.Single(made["message"]!["tool_calls"]!.AsArray())!;
        Assert.StartsWith("call_", (string)call["id"]!, StringComparison.Ordinal);
        Assert.Equal("function", (string)call["type"]!);
        Assert.Equal(name, (string)call["function"]!["name"]!);
        Assert.Equal(arguments, (string)call["function"]!["arguments"]!);
    }

    [Theory]
    [InlineData("\"auto\"")]
    [InlineData("\"none\"")]
    [InlineData("null")]
    public async Task Otherwise_text_is_answered_though_there_are_tools(string choice)
    {
        var answer = await AnswerAsync(
            """{"model":"simulator","tool_choice":CHOICE,"tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"Hi"}]}""".Replace(
                "CHOICE",
                choice,
                StringComparison.Ordinal
            )
        );

        Assert.Equal("stop", (string)answer["choices"]![0]!["finish_reason"]!);
    }

    [Fact]
    public async Task Tools_named_by_the_model_are_called_at_once_until_there_is_a_result()
    {
        const string request =
            """{"model":"simulator:tool=get_weather+get_time","messages":[{"role":"user","content":"Hi"}MORE]}""";
        var first = await AnswerAsync(request.Replace("MORE", "", StringComparison.Ordinal));
        var calls = first["choices"]![0]!["message"]!["tool_calls"]!.AsArray();
        Assert.Equal(
            ["get_weather", "get_time"],
            calls.Select(c => (string)c!["function"]!["name"]!),
            StringComparer.Ordinal
        );
        Assert.Equal(2, calls.Select(c => (string)c!["id"]!).Distinct(StringComparer.Ordinal).Count());

        var last = await AnswerAsync(
            request.Replace(
                "MORE",
                ""","""
                    + """{"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","tool_call_id":"a","content":"12 °C"}""",
                StringComparison.Ordinal
            )
        );
        Assert.Equal("stop", (string)last["choices"]![0]!["finish_reason"]!);
        Assert.StartsWith(
            "The tool answered: \"12 °C\".",
            (string)last["choices"]![0]!["message"]!["content"]!,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Text_parts_of_a_message_are_read_and_others_passed_over()
    {
        var answer = await AnswerAsync(
            """{"model":"simulator","messages":[{"content":[{"type":"text","text":"one"},{"type":"image_url","image_url":{"url":"data:,x"}},{"type":"text","text":"two"}],"role":"user"}]}"""
        );

        Assert.Contains(
            "You said: \"one\ntwo\".",
            (string)answer["choices"]![0]!["message"]!["content"]!,
            StringComparison.Ordinal
        );
        Assert.Equal(2, (int)answer["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task A_long_message_is_repeated_only_in_part_and_no_character_in_half()
    {
        var answer = await AnswerAsync(
            $$"""{"model":"simulator","messages":[{"role":"user","content":"{{string.Concat(Enumerable.Repeat("é語", 400))}}"}]}"""
        );

        var text = (string)answer["choices"]![0]!["message"]!["content"]!;
        Assert.Contains("語…\".", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\uFFFD", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "invalid_request_error", "invalid_api_key")]
    [InlineData(404, "invalid_request_error", "model_not_found")]
    [InlineData(429, "requests", "rate_limit_exceeded")]
    [InlineData(503, "server_error", null)]
    public async Task It_fails_as_it_is_asked_to(int status, string type, string? code)
    {
        using var response = await SendAsync(
            $$"""{"model":"simulator:status={{status}},retry-after=2","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter!.Delta);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(_timeout.Token))!["error"]!;
        Assert.Equal(
            (type, code, $"The simulator was asked to fail with status {status}."),
            ((string)error["type"]!, (string?)error["code"], (string)error["message"]!)
        );
    }

    [Theory]
    [InlineData(
        """{"model":"simulator:speed=9","messages":[{"role":"user","content":"Hi"}]}""",
        "model",
        "no option 'speed'"
    )]
    [InlineData(
        """{"model":"simulator:chunk-delay=1ms","messages":[{"role":"user","content":"Hi"}]}""",
        "model",
        "for streams"
    )]
    [InlineData(
        """{"model":"simulator:error-after=1","messages":[{"role":"user","content":"Hi"}]}""",
        "model",
        "for streams"
    )]
    [InlineData("""{"model":"simulator"}""", "messages", "Missing required parameter")]
    [InlineData("""{"model":"simulator","messages":[]}""", "messages", "Missing required parameter")]
    [InlineData("""{"model":"simulator","messages":[{}],"n":0}""", "n", "from 1 to 128")]
    [InlineData("""{"model":"simulator","messages":[{}],"max_tokens":0}""", "max_tokens", "an integer from 1")]
    [InlineData("""{"model":"simulator","messages":[{}],"stop":[1]}""", "stop", "up to 4")]
    [InlineData("""{"model":"simulator","messages":[{}],"stop":["a","b","c","d","e"]}""", "stop", "up to 4")]
    [InlineData(
        """{"model":"simulator","messages":[{}],"tool_choice":"required"}""",
        "tool_choice",
        "'tools' are specified"
    )]
    [InlineData(
        """{"model":"simulator","messages":[{}],"tools":[],"tool_choice":{"function":{"name":"a b"}}}""",
        "tool_choice",
        "function.name"
    )]
    [InlineData("""{"model":"simulator","messages":[{"role":"user","content":"\ud83d"}]}""", null, "surrogate")]
    [InlineData(
        """{"model":"simulator","messages":[{}],"tool_choice":"required","tools":[{"function":{"name":"f","parameters":{"properties":{"\udc00":{}}}}}]}""",
        "tools",
        "surrogate"
    )]
    [InlineData("""{"messages":[]}""", null, "you must provide a model")]
    [InlineData("""{""", null, "could not parse")]
    [InlineData("", null, "could not parse")]
    public async Task A_request_that_is_wrong_is_refused_with_what_is_wrong(
        string request,
        string? param,
        string message
    )
    {
        using var response = await SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(_timeout.Token))!["error"]!;
        Assert.Equal(param, (string?)error["param"]);
        Assert.Contains(message, (string)error["message"]!, StringComparison.Ordinal);
        Assert.Equal("invalid_request_error", (string)error["type"]!);
    }

    [Theory]
    [InlineData("GET", "/v1/chat/completions")]
    [InlineData("POST", "/v1/embeddings")]
    public async Task There_is_nothing_else_to_ask(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri("http://simulator.invalid" + path));
        using var response = await _simulator.SendAsync(request, _timeout.Token);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task The_delay_goes_by_the_clock()
    {
        var sending = SendAsync("""{"model":"simulator:delay=250ms","messages":[{"role":"user","content":"Hi"}]}""");
        await _time.SomebodyWaitsAsync(_timeout.Token);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.False(sending.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        using var response = await sending;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Each_chunk_but_the_first_waits_its_delay()
    {
        using var response = await SendAsync(
            """{"model":"simulator:chunk-delay=20ms,chunks=1","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );
        await using var stream = await response.Content.ReadAsStreamAsync(_timeout.Token);
        var buffer = new byte[1024];
        Assert.True(await stream.ReadAsync(buffer, _timeout.Token) > 0);
        foreach (var expected in (string[])["Hello!", "stop", "[DONE]"])
        {
            var reading = stream.ReadAsync(buffer, _timeout.Token).AsTask();
            await _time.SomebodyWaitsAsync(_timeout.Token);
            Assert.False(reading.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(20));
            Assert.Contains(expected, Encoding.UTF8.GetString(buffer, 0, await reading), StringComparison.Ordinal);
        }
        Assert.Equal(0, await stream.ReadAsync(buffer, _timeout.Token));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_stream_is_cut_after_so_many_events(int events)
    {
        var (read, failure) = await ReadUntilItEndsAsync(
            $$"""{"model":"simulator:cut-after={{events}}","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal(events, read.Split("data: ").Length - 1);
        // As from a socket.
        Assert.Equal(HttpRequestError.ResponseEnded, Assert.IsType<HttpIOException>(failure).HttpRequestError);
    }

    [Fact]
    public async Task An_answer_that_is_not_streamed_is_cut_after_so_many_bytes()
    {
        var (read, failure) = await ReadUntilItEndsAsync(
            """{"model":"simulator:cut-after=9","messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal("{\"id\":\"ch", read);
        Assert.IsType<HttpIOException>(failure);
    }

    [Fact]
    public async Task A_cut_that_lies_behind_the_end_is_none()
    {
        var (read, failure) = await ReadUntilItEndsAsync(
            """{"model":"simulator:chunks=1,cut-after=4","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.EndsWith("data: [DONE]\n\n", read, StringComparison.Ordinal);
        Assert.Null(failure);
    }

    [Fact]
    public async Task An_error_comes_in_the_stream_and_ends_it()
    {
        var events = await EventsAsync(
            """{"model":"simulator:error-after=2","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );

        Assert.Equal(3, events.Count);
        Assert.Equal(
            """data: {"error":{"message":"The simulator was asked to fail with status 500.","type":"server_error","param":null,"code":null}}"""
                + "\n\n",
            events[2]
        );
    }

    [Theory]
    [InlineData("""{"model":"simulator:stall-after=0","messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("""{"model":"simulator:stall-after=0","stream":true,"messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("""{"model":"simulator:stall-after=1","stream":true,"messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("""{"model":"simulator:chunk-delay=600s","stream":true,"messages":[{"role":"user","content":"Hi"}]}""")]
    public async Task A_read_that_waits_ends_at_once_when_it_is_cancelled_or_the_answer_is_closed(string request)
    {
        foreach (var closes in (bool[])[false, true])
        {
            using var cancellation = new CancellationTokenSource();
            using var response = await SendAsync(request);
            await using var stream = await response.Content.ReadAsStreamAsync(_timeout.Token);
            var buffer = new byte[1024];
            var reading = stream.ReadAsync(buffer, cancellation.Token).AsTask();
            if (reading.IsCompletedSuccessfully)
                reading = stream.ReadAsync(buffer, cancellation.Token).AsTask();
            Assert.False(reading.IsCompleted);

            if (closes)
            {
                response.Dispose();
                await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.WaitAsync(_timeout.Token));
            }
            else
            {
                await cancellation.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(_timeout.Token));
            }
        }
    }

    [Fact]
    public async Task Sending_ends_at_once_when_it_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var sending = SendAsync(
            """{"model":"simulator:delay=600s","messages":[{"role":"user","content":"Hi"}]}""",
            cancellation.Token
        );
        await _time.SomebodyWaitsAsync(_timeout.Token);
        Assert.False(sending.IsCompleted);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(_timeout.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SendAsync("{}", cancellation.Token));
    }

    [Fact]
    public async Task A_cancelled_stream_gives_no_further_event()
    {
        using var cancellation = new CancellationTokenSource();
        using var response = await SendAsync(
            """{"model":"simulator","stream":true,"messages":[{"role":"user","content":"Hi"}]}"""
        );
        await using var stream = await response.Content.ReadAsStreamAsync(_timeout.Token);
        var buffer = new byte[1024];
        Assert.True(await stream.ReadAsync(buffer, cancellation.Token) > 0);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            stream.ReadAsync(buffer, cancellation.Token).AsTask()
        );
    }

    [Theory]
    [InlineData("simulator", true)]
    [InlineData("simulator:chunks=5", true)]
    [InlineData("simulator2", false)]
    [InlineData("Simulator", false)]
    [InlineData("simulator/x", false)]
    public void Its_name_is_known_with_options_and_without(string model, bool isIts) =>
        Assert.Equal(isIts, SimulatorHandler.IsModel(model));

    private async Task<HttpResponseMessage> SendAsync(string body, CancellationToken? cancellationToken = null)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri("http://simulator.invalid/v1/chat/completions")
        )
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await _simulator.SendAsync(request, cancellationToken ?? _timeout.Token);
    }

    private async Task<JsonNode> AnswerAsync(string body)
    {
        using var response = await SendAsync(body);
        var text = await response.Content.ReadAsStringAsync(_timeout.Token);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<List<string>> EventsAsync(string body)
    {
        using var response = await SendAsync(body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var events = new List<string>();
        using var reader = new SseReader();
        reader.Feed(await response.Content.ReadAsByteArrayAsync(_timeout.Token));
        while (reader.TryRead(out var sse))
            events.Add(Encoding.UTF8.GetString(sse.Raw.Span));
        Assert.False(reader.TryReadRemainder(out _));
        return events;
    }

    private async Task<(string Read, Exception? Failure)> ReadUntilItEndsAsync(string body)
    {
        using var response = await SendAsync(body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var stream = await response.Content.ReadAsStreamAsync(_timeout.Token);
        var text = new StringBuilder();
        var buffer = new byte[1024];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, _timeout.Token)) > 0)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (IOException e)
        {
            return (text.ToString(), e);
        }
        return (text.ToString(), null);
    }

    private static int WordsIn(string text) =>
        text.Split([' ', '\n', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries).Length;
}
