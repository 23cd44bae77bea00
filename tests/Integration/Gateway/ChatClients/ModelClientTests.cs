using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Tests.Integration.Messaging;

namespace Verbatim.Tests.Integration.Gateway.ChatClients;

/// <summary>What the other modules reach models by: over the same path as a request from outside, on both wires.</summary>
public sealed class ModelClientTests(ModelClientHost host) : IClassFixture<ModelClientHost>
{
    private static readonly JsonElement WeatherSchema = JsonElement.Parse(
        """{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}"""
    );

    private static readonly AIFunctionDeclaration Weather = AIFunctionFactory.CreateDeclaration(
        "get_weather",
        "The weather of a place.",
        WeatherSchema
    );

    private readonly string _marker = Guid.NewGuid().ToString("N");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Wires =>
        new()
        {
            { "gpt-fake", false },
            { "gpt-fake", true },
            { "claude-fake", false },
            { "claude-fake", true },
        };

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task An_answer_has_its_text_its_usage_and_its_record(string model, bool stream)
    {
        var response = await AskAsync(
            host.Client("run:42"),
            stream,
            [Asked("What is up?")],
            new ChatOptions { ModelId = model }
        );

        Assert.Equal("Hello! How can I assist you today?", response.Text);
        Assert.Equal(ChatRole.Assistant, Assert.Single(response.Messages).Role);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.StartsWith(model, response.ModelId, StringComparison.Ordinal);
        Assert.NotEmpty(response.ResponseId!);
        Assert.NotNull(response.CreatedAt);
        Assert.Equal(
            (19, 9, 28),
            (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.TotalTokenCount)
        );

        var call = await host.InferenceAsync(InferenceOf(response));
        Assert.Equal(InferenceStatus.Completed, call.Status);
        Assert.Equal("openai.chat-completions", call.Wire);
        Assert.Equal("run:42", call.ClientRequestId);
        Assert.Equal(stream, call.Stream);
        Assert.Equal(host.User, call.UserId);
        Assert.Contains(_marker, call.Request.ToString(), StringComparison.Ordinal);
        Assert.Contains("assist you today", call.Response.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tokens_of_the_cache_and_of_reasoning_are_told_apart(bool stream)
    {
        var response = await AskAsync(
            host.Client(),
            stream,
            [Asked()],
            new ChatOptions { ModelId = "gpt-fake@usage=details" }
        );

        var usage = response.Usage!;
        Assert.Equal((2006, 300, 192), (usage.InputTokenCount, usage.OutputTokenCount, usage.ReasoningTokenCount));
        Assert.InRange(usage.CachedInputTokenCount!.Value, 1004, 2006);
    }

    [Fact]
    public async Task A_stream_comes_piece_by_piece_while_the_provider_still_speaks()
    {
        var texts = new List<string>();
        await foreach (
            var update in host.Client()
                .GetStreamingResponseAsync(
                    [Asked()],
                    new ChatOptions { ModelId = "gpt-fake@hold-after=3" },
                    Cancellation
                )
        )
        {
            if (texts.Count == 0 && update.Text.Length > 0)
            {
                var request = await host.Provider.Requests.FirstAsync(_marker, Cancellation);
                Assert.False(request.Finished.IsCompleted);
                request.Release();
            }
            if (update.Text.Length > 0)
                texts.Add(update.Text);
        }

        Assert.True(texts.Count > 5);
        Assert.Equal("Hello! How can I assist you today?", string.Concat(texts));
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task A_tool_loop_goes_on_with_parallel_calls_and_thoughts(string model, bool stream)
    {
        var options = new ChatOptions
        {
            ModelId =
                model == "claude-fake" ? model + "@tool-calls=2,reasoning=weighing%20both" : model + "@tool-calls=2",
            Tools = [Weather],
            ToolMode = ChatToolMode.Auto,
            AllowMultipleToolCalls = true,
            MaxOutputTokens = 4000,
        };
        if (model.StartsWith("claude", StringComparison.Ordinal))
            options.Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Low };
        var client = host.Client();
        List<ChatMessage> dialogue = [new(ChatRole.System, "Be brief."), Asked("Weather?")];

        var first = await AskAsync(client, stream, dialogue, options);

        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        var calls = first.Messages.Single().Contents.OfType<FunctionCallContent>().ToList();
        Assert.Equal(["Paris", "Tokyo"], calls.Select(c => ((JsonElement)c.Arguments!["location"]!).GetString()));
        Assert.All(calls, c => Assert.Equal("get_weather", c.Name));
        Assert.Equal(2, calls.Select(c => c.CallId).Distinct(StringComparer.Ordinal).Count());
        // The fake provider thinks on Anthropic's wire alone.
        Assert.Equal(
            model == "claude-fake" ? "weighing both" : "",
            string.Concat(first.Messages[0].Contents.OfType<TextReasoningContent>().Select(r => r.Text))
        );

        // What a session stores and reads again.
        var stored = JsonSerializer.Deserialize<List<ChatMessage>>(
            JsonSerializer.Serialize(first.Messages, AIJsonUtilities.DefaultOptions),
            AIJsonUtilities.DefaultOptions
        )!;
        dialogue.AddRange(stored);
        dialogue.Add(
            new ChatMessage(
                ChatRole.Tool,
                [
                    new FunctionResultContent(calls[0].CallId, "sunny"),
                    new FunctionResultContent(calls[1].CallId, new { degrees = 9 }),
                ]
            )
        );
        await AskAsync(client, stream, dialogue, options);

        var sent = (await host.SentAsync(_marker, count: 2))["messages"]!.AsArray();
        if (model.StartsWith("claude", StringComparison.Ordinal))
            AssertAnthropic(sent, calls);
        else
            AssertOpenAi(sent, calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Errors_before_an_answer_tell_what_and_when_to_try_again(bool stream)
    {
        var client = host.Client();

        var unknown = await FailAsync(client, stream, "no-such-model");
        Assert.Equal((404, "model_not_found"), (unknown.Status, unknown.Code));
        Assert.False(unknown.IsTransient);
        Assert.Null(unknown.InferenceId);

        var gone = await FailAsync(client, stream, "gone");
        Assert.Equal((502, "upstream_unreachable"), (gone.Status, gone.Code));
        Assert.True(gone.IsTransient);
        Assert.Equal("upstream-unreachable", (await host.InferenceAsync(gone.InferenceId!.Value)).Error!.Code);

        var refused = await FailAsync(
            client,
            stream,
            "gpt-fake@status=400,error-code=no_such_thing,error-message=you%20said%20x"
        );
        Assert.Equal((400, "no_such_thing", "you said x"), (refused.Status, refused.Code, refused.ProviderMessage));
        Assert.DoesNotContain("you said x", refused.ToString(), StringComparison.Ordinal);
        Assert.Equal(InferenceStatus.Failed, (await host.InferenceAsync(refused.InferenceId!.Value)).Status);

        // What another wire has no word for is refused before anything is sent.
        var unsupported = await FailAsync(client, stream, "claude-fake", o => o.Seed = 7);
        Assert.Equal((400, "seed"), (unsupported.Status, unsupported.Parameter));
    }

    [Fact]
    public async Task A_provider_s_pause_is_handed_on()
    {
        var tired = await FailAsync(host.Client(), stream: false, "failing@status=429,retry-after=7");
        Assert.Equal(429, tired.Status);
        Assert.Equal(TimeSpan.FromSeconds(7), tired.RetryAfter);
        Assert.True(tired.IsTransient);
    }

    [Theory]
    [InlineData("error-after=3,chunk-delay-ms=100")]
    [InlineData("cut-after=3")]
    [InlineData("end-after=3")]
    public async Task A_stream_that_breaks_off_ends_in_an_exception_and_is_on_record_as_failed(string commands)
    {
        var texts = new List<string>();
        Guid? inference = null;

        var error = await Assert.ThrowsAsync<ModelCallException>(async () =>
        {
            await foreach (
                var update in host.Client()
                    .GetStreamingResponseAsync(
                        [Asked()],
                        new ChatOptions { ModelId = "gpt-fake@" + commands },
                        Cancellation
                    )
            )
            {
                inference ??= (Guid?)update.AdditionalProperties?[IModelClients.InferenceId];
                texts.Add(update.Text);
            }
        });

        Assert.StartsWith("Hello", string.Concat(texts), StringComparison.Ordinal);
        Assert.Equal(inference, error.InferenceId);
        Assert.True(error.Status >= 500);
        Assert.Equal(InferenceStatus.Failed, (await host.InferenceAsync(inference!.Value)).Status);
    }

    [Fact]
    public async Task Who_stops_reading_ends_the_call_which_is_on_record_when_they_have_left()
    {
        Guid? inference = null;
        await foreach (
            var update in host.Client()
                .GetStreamingResponseAsync(
                    [Asked()],
                    new ChatOptions { ModelId = "gpt-fake@hold-after=3" },
                    Cancellation
                )
        )
        {
            inference ??= (Guid?)update.AdditionalProperties?[IModelClients.InferenceId];
            if (update.Text.Length > 0)
                break;
        }

        var call = await host.InferenceAsync(inference!.Value);
        Assert.Equal(InferenceStatus.Cancelled, call.Status);
        Assert.Contains("Hello!", call.Response.ToString(), StringComparison.Ordinal);
        var request = await host.Provider.Requests.FirstAsync(_marker, Cancellation);
        await request.Finished;
        Assert.Equal(Verbatim.Tests.Upstream.ExchangeOutcome.ClientLeft, request.Outcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_is_cancelled_ends_the_call(bool stream)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var asking = AskAsync(
            host.Client($"leave:{_marker}"),
            stream,
            [Asked()],
            new ChatOptions { ModelId = "gpt-fake@hold-after=0" },
            leaving.Token
        );
        await (await host.Provider.Requests.FirstAsync(_marker, Cancellation)).HeldAsync(Cancellation);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        // Nobody was told the call's id.
        using var administrator = await host.Host.AsAdministratorAsync(Cancellation);
        await using var source = Npgsql.NpgsqlDataSource.Create(host.Host.ConnectionString);
        await Eventually.UntilAsync(async () =>
        {
            await using var command = source.CreateCommand(
                $"select status from gateway.inferences where client_request_id = 'leave:{_marker}'"
            );
            return await command.ExecuteScalarAsync(Cancellation) is "cancelled";
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_is_cancelled_ends_the_wait_where_the_call_is_taken_to_its_end(bool stream)
    {
        await using var draining = await host.StartDrainingAsync();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var asking = AskAsync(
            host.Client(at: draining),
            stream,
            [Asked()],
            new ChatOptions { ModelId = "gpt-fake@hold-after=0" },
            leaving.Token
        );
        var request = await host.Provider.Requests.FirstAsync(_marker, Cancellation);
        await request.HeldAsync(Cancellation);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Equal(Verbatim.Tests.Upstream.ExchangeOutcome.Pending, request.Outcome);
        request.Release();
        await request.Finished;
        Assert.Equal(Verbatim.Tests.Upstream.ExchangeOutcome.Answered, request.Outcome);
    }

    [Fact]
    public async Task Halves_of_a_character_in_two_pieces_do_not_end_the_answer()
    {
        const string Events = """
            data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"A\ud83d"},"finish_reason":null}]}

            data: {"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\ude00B"},"finish_reason":"stop"}]}

            data: [DONE]


            """;
        var text = await AskAsync(
            host.Client(),
            stream: true,
            [Asked()],
            new ChatOptions
            {
                ModelId = "gpt-fake",
                AdditionalProperties = new AdditionalPropertiesDictionary
                {
                    ["x_upstream"] = new { content_type = "text/event-stream", body = Events.ReplaceLineEndings("\n") },
                },
            },
            Cancellation
        );

        Assert.Equal("A\ufffd\ufffdB", text.Text);
    }

    [Fact]
    public async Task What_was_not_asked_for_in_order_is_refused_before_anything_is_recorded()
    {
        var client = host.Client();
        await Assert.ThrowsAsync<ArgumentException>(() =>
            client.GetResponseAsync([Asked()], new ChatOptions(), Cancellation)
        );
        await Assert.ThrowsAsync<NotSupportedException>(() =>
            client.GetResponseAsync(
                [Asked()],
                new ChatOptions { ModelId = "gpt-fake", Tools = [new HostedWebSearchTool()] },
                Cancellation
            )
        );
        var large = await Assert.ThrowsAsync<ModelCallException>(() =>
            client.GetResponseAsync(
                [Asked(new string('x', 1024 * 1024))],
                new ChatOptions { ModelId = "gpt-fake" },
                Cancellation
            )
        );
        Assert.Equal(413, large.Status);
        Assert.Empty(host.Provider.Requests.Of(_marker));
        Assert.Throws<ArgumentException>(() => host.Client("no blanks allowed"));
        Assert.Equal("verbatim", client.GetService<ChatClientMetadata>()!.ProviderName);
    }

    private static void AssertOpenAi(JsonArray sent, List<FunctionCallContent> calls)
    {
        Assert.Equal(["system", "user", "assistant", "tool", "tool"], sent.Select(m => m!["role"]!.GetValue<string>()));
        var assistant = sent[2]!;
        Assert.Equal(
            calls.Select(c => c.CallId),
            assistant["tool_calls"]!.AsArray().Select(c => c!["id"]!.GetValue<string>())
        );
        Assert.Equal(
            """{"location":"Paris"}""",
            assistant["tool_calls"]![0]!["function"]!["arguments"]!.GetValue<string>()
        );
        Assert.Equal("sunny", sent[3]!["content"]!.GetValue<string>());
        Assert.Equal("""{"degrees":9}""", sent[4]!["content"]!.GetValue<string>());
    }

    private static void AssertAnthropic(JsonArray sent, List<FunctionCallContent> calls)
    {
        Assert.Equal(["user", "assistant", "user"], sent.Select(m => m!["role"]!.GetValue<string>()));
        var blocks = sent[1]!["content"]!.AsArray();
        Assert.Equal(["thinking", "tool_use", "tool_use"], blocks.Select(b => b!["type"]!.GetValue<string>()));
        Assert.Equal("weighing both", blocks[0]!["thinking"]!.GetValue<string>());
        // To the letter as it came, or Anthropic refuses it.
        Assert.StartsWith(
            "EqQBCkYIChgCKkDs0mFrZXNpZ25hdHVyZW9m",
            blocks[0]!["signature"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        Assert.EndsWith("Zm9ydmVyYmF0aW0=", blocks[0]!["signature"]!.GetValue<string>(), StringComparison.Ordinal);
        var results = sent[2]!["content"]!.AsArray();
        Assert.Equal(calls.Select(c => c.CallId), results.Select(r => r!["tool_use_id"]!.GetValue<string>()));
    }

    private async Task<ModelCallException> FailAsync(
        IChatClient client,
        bool stream,
        string model,
        Action<ChatOptions>? change = null
    )
    {
        var options = new ChatOptions { ModelId = model };
        change?.Invoke(options);
        return await Assert.ThrowsAsync<ModelCallException>(() => AskAsync(client, stream, [Asked()], options));
    }

    private static async Task<ChatResponse> AskAsync(
        IChatClient client,
        bool stream,
        List<ChatMessage> messages,
        ChatOptions options,
        CancellationToken? cancellationToken = null
    ) =>
        stream
            ? await client
                .GetStreamingResponseAsync(messages, options, cancellationToken ?? Cancellation)
                .ToChatResponseAsync(cancellationToken ?? Cancellation)
            : await client.GetResponseAsync(messages, options, cancellationToken ?? Cancellation);

    private ChatMessage Asked(string text = "Hello?") => new(ChatRole.User, $"{text} {_marker}");

    private static Guid InferenceOf(ChatResponse response) =>
        (Guid)response.Messages[0].AdditionalProperties![IModelClients.InferenceId]!;
}
