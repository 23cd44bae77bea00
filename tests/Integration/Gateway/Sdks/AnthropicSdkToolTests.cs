using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Anthropic.Helpers.Beta;
using Anthropic.Models.Beta.Messages;
using Anthropic.Models.Messages;
using Verbatim.Tests.Integration.Gateway.Conformance;
using BetaCreateParams = Anthropic.Models.Beta.Messages.MessageCreateParams;
using BetaInputSchema = Anthropic.Models.Beta.Messages.InputSchema;
using InputSchema = Anthropic.Models.Messages.InputSchema;
using MessageCreateParams = Anthropic.Models.Messages.MessageCreateParams;
using PlainTool = Anthropic.Models.Messages.Tool;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Anthropic's official .NET SDK with tools, and its runner of them, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class AnthropicSdkToolTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    public static MatrixTheoryData<string, bool> Ways => new(ConformanceHost.Kinds.Keys, [false, true]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_calls_several_tools_and_sends_what_they_brought(string kind, bool streamed)
    {
        var messages = gateway.Anthropic().Messages;
        var asked = Ask(SdkSample.Once(kind, "tool-calls=2", out var marker));
        var calling = await messages.AnswerAsync(asked, streamed, Cancellation);
        var calls = calling.CallsOf();
        Assert.Equal(StopReason.ToolUse, calling.StopReason!.Value());
        Assert.Equal(["get_weather", "get_time"], calls.Select(c => c.Name));
        Assert.Equal(2, calls.Select(c => c.ID).Distinct().Count());
        Assert.All(calls, c => Assert.NotEmpty(c.Input["location"].GetString()!));

        var answer = await messages.AnswerAsync(
            asked with
            {
                Messages =
                [
                    .. asked.Messages,
                    new AssistantMessageParam(calling.Content.Select(b => new ContentBlockParam(b.Json)).ToList()),
                    new UserMessageParam(
                        calls
                            .Select(c =>
                                (ContentBlockParam)new ToolResultBlockParam(c.ID) { Content = $"from {c.Name}" }
                            )
                            .ToList()
                    ),
                ],
            },
            streamed,
            Cancellation
        );

        Assert.Equal(SdkSample.Hello, answer.TextOf());
        Assert.Equal(StopReason.EndTurn, answer.StopReason!.Value());
        var sent = gateway.Provider.Requests.Of(marker)[1].BodyText;
        Assert.Contains("from get_weather", sent, StringComparison.Ordinal);
        Assert.Contains("from get_time", sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Its_runner_calls_tools_until_there_is_an_answer(string kind)
    {
        var called = new ConcurrentQueue<string>();
        var turns = new List<BetaMessage>();
        var runner = Runner(SdkSample.Once(kind, "tool-calls=2", out var marker), Answering(called));
        await foreach (var message in runner.WithCancellation(Cancellation))
            turns.Add(message);

        Assert.Equal([BetaStopReason.ToolUse, BetaStopReason.EndTurn], turns.Select(t => t.StopReason!.Value()));
        Assert.Equal(SdkSample.Hello, TextOf(turns[1]));
        Assert.Equal(["get_time", "get_weather"], called.Order());
        Assert.Contains("eleven degrees", gateway.Provider.Requests.Of(marker)[1].BodyText, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Its_runner_streams_each_turn(string kind)
    {
        var called = new ConcurrentQueue<string>();
        var texts = new List<string>();
        var runner = Runner(SdkSample.Once(kind, "tool-calls=2", out var marker), Answering(called));
        await foreach (var turn in runner.Streaming(Cancellation))
        {
            var text = new StringBuilder();
            await foreach (var update in turn)
            {
                if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece))
                    text.Append(piece.Text);
            }
            texts.Add(text.ToString());
        }

        Assert.Equal(["", SdkSample.Hello], texts);
        Assert.Equal(["get_time", "get_weather"], called.Order());
        Assert.Equal(2, gateway.Provider.Requests.Of(marker).Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Its_runner_tells_the_model_of_a_tool_that_fails(string kind)
    {
        var runner = Runner(
            SdkSample.Once(kind, "tool-calls=1", out var marker),
            _ => throw new BetaToolError("There is no weather.")
        );
        var last = await runner.RunUntilDoneAsync(Cancellation);

        Assert.Equal(SdkSample.Hello, TextOf(last));
        Assert.Contains(
            "There is no weather.",
            gateway.Provider.Requests.Of(marker)[1].BodyText,
            StringComparison.Ordinal
        );
    }

    private static Func<string, string> Answering(ConcurrentQueue<string> called) =>
        name =>
        {
            called.Enqueue(name);
            return "eleven degrees";
        };

    private static string TextOf(BetaMessage message) =>
        string.Concat(message.Content.Select(b => b.TryPickText(out var text) ? text.Text : ""));

    private BetaToolRunner Runner(string model, Func<string, string> run) =>
        gateway
            .Anthropic()
            .Beta.Messages.ToolRunner(
                new BetaCreateParams
                {
                    Model = model,
                    MaxTokens = 1024,
                    Messages = [new BetaUserMessageParam("Hello")],
                },
                [Tool("get_weather", run), Tool("get_time", run)]
            );

    private static BetaRunnableTool Tool(string name, Func<string, string> run) =>
        new()
        {
            Name = name,
            Definition = new BetaTool { Name = name, InputSchema = new BetaInputSchema() },
            Run = (call, _) => Task.FromResult<BetaToolResultBlockParamContent>(run(call.Name)),
        };

    private static MessageCreateParams Ask(string model) =>
        new()
        {
            Model = model,
            MaxTokens = 1024,
            Messages = [new UserMessageParam("Hello")],
            Tools =
            [
                new PlainTool
                {
                    Name = "get_weather",
                    Description = "The weather",
                    InputSchema = new InputSchema
                    {
                        Properties = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
                        {
                            ["location"] = JsonSerializer.SerializeToElement(new { type = "string" }),
                        },
                        Required = ["location"],
                    },
                },
                new PlainTool { Name = "get_time", InputSchema = new InputSchema() },
            ],
        };
}
