using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI.Chat;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Chats of OpenAI's official .NET SDK with tools, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkToolTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_puts_calls_in_a_stream_together(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Once(kind, "tool-calls=2", out var marker));
        List<ChatMessage> messages = [new UserChatMessage("Hello")];
        var (calls, _, finish) = await StreamAsync(chat, messages);
        Assert.Equal(ChatFinishReason.ToolCalls, finish);
        Assert.Equal(["get_weather", "get_time"], calls.Select(c => c.FunctionName));
        Assert.Equal(2, calls.Select(c => c.Id).Distinct(StringComparer.Ordinal).Count());
        foreach (var call in calls)
        {
            using var arguments = JsonDocument.Parse(call.FunctionArguments);
            Assert.NotEmpty(arguments.RootElement.GetProperty("location").GetString()!);
        }

        messages.Add(new AssistantChatMessage(calls));
        messages.AddRange(calls.Select(c => new ToolChatMessage(c.Id, $"from {c.FunctionName}")));
        var (_, text, end) = await StreamAsync(chat, messages);

        Assert.Equal((SdkSample.Hello, ChatFinishReason.Stop), (text, end));
        var sent = gateway.Provider.Requests.Of(marker)[1].BodyText;
        Assert.Contains("from get_weather", sent, StringComparison.Ordinal);
        Assert.Contains("from get_time", sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_sends_what_a_tool_brought_to_a_model_that_thinks(string kind)
    {
        // The SDK does not know thoughts: it sends the call back without the one that came before it.
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Once(kind, SdkSample.ThoughtAndCall, out _));
        var options = Options();
        options.ReasoningEffortLevel = ChatReasoningEffortLevel.Medium;
        options.MaxOutputTokenCount = 8000;
        List<ChatMessage> messages = [new UserChatMessage("Hello")];
        var calling = (await chat.CompleteChatAsync(messages, options, Cancellation)).Value;
        messages.Add(new AssistantChatMessage(calling));
        messages.Add(new ToolChatMessage(Assert.Single(calling.ToolCalls).Id, "eleven degrees"));
        var answer = (await chat.CompleteChatAsync(messages, options, Cancellation)).Value;

        Assert.Equal(SdkSample.Hello, answer.Content[0].Text);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_says_which_tool_must_be_called_and_alone(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Once(kind, "tool-calls=1", out var marker));
        var options = Options();
        options.ToolChoice = ChatToolChoice.CreateFunctionChoice("get_weather");
        options.AllowParallelToolCalls = false;
        var calling = (await chat.CompleteChatAsync([new UserChatMessage("Hello")], options, Cancellation)).Value;

        Assert.Equal("get_weather", Assert.Single(calling.ToolCalls).FunctionName);
        var sent = JsonNode.Parse(gateway.Provider.Requests.Of(marker).Single().BodyText)!;
        var (name, several) =
            kind == "anthropic"
                ? (sent["tool_choice"]!["name"], !(bool)sent["tool_choice"]!["disable_parallel_tool_use"]!)
                : (sent["tool_choice"]!["function"]!["name"], (bool)sent["parallel_tool_calls"]!);
        Assert.Equal(("get_weather", false), ((string?)name, several));
    }

    private static async Task<(List<ChatToolCall> Calls, string Text, ChatFinishReason? Finish)> StreamAsync(
        ChatClient chat,
        List<ChatMessage> messages
    )
    {
        var calls = new SortedDictionary<int, (string Id, string Name, MemoryStream Arguments)>();
        var text = new StringBuilder();
        ChatFinishReason? finish = null;
        await foreach (var update in chat.CompleteChatStreamingAsync(messages, Options(), Cancellation))
        {
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
            foreach (var piece in update.ToolCallUpdates)
            {
                if (!calls.TryGetValue(piece.Index, out var call))
                    calls[piece.Index] = call = (piece.ToolCallId, piece.FunctionName, new MemoryStream());
                if (piece.FunctionArgumentsUpdate is { } arguments)
                    call.Arguments.Write(arguments.ToMemory().Span);
            }
            finish = update.FinishReason ?? finish;
        }
        return (
            [
                .. calls.Values.Select(c =>
                    ChatToolCall.CreateFunctionToolCall(c.Id, c.Name, BinaryData.FromBytes(c.Arguments.ToArray()))
                ),
            ],
            text.ToString(),
            finish
        );
    }

    private static ChatCompletionOptions Options() =>
        new()
        {
            Tools =
            {
                ChatTool.CreateFunctionTool(
                    "get_weather",
                    "The weather",
                    BinaryData.FromString(
                        """{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}"""
                    )
                ),
                ChatTool.CreateFunctionTool("get_time"),
            },
        };
}
