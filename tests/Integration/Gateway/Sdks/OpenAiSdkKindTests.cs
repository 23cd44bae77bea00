using System.ClientModel;
using System.Text;
using OpenAI.Chat;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>OpenAI's official .NET SDK against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkKindTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_completes_and_streams_a_chat(string kind)
    {
        var chat = Chat(ConformanceHost.Model(kind));
        var whole = (
            await chat.CompleteChatAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation)
        ).Value;
        var text = new StringBuilder();
        ChatTokenUsage? usage = null;
        await foreach (
            var update in chat.CompleteChatStreamingAsync(
                [new UserChatMessage("Hello")],
                cancellationToken: Cancellation
            )
        )
        {
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
            usage = update.Usage ?? usage;
        }

        Assert.Equal(SdkSample.Hello, whole.Content[0].Text);
        Assert.Equal(28, whole.Usage.TotalTokenCount);
        Assert.Equal(SdkSample.Hello, text.ToString());
        Assert.Equal(28, usage!.TotalTokenCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_gets_several_tool_calls_and_sends_what_they_brought(string kind)
    {
        var options = new ChatCompletionOptions
        {
            Tools = { ChatTool.CreateFunctionTool("get_weather"), ChatTool.CreateFunctionTool("get_time") },
        };
        List<ChatMessage> messages = [new UserChatMessage("Hello")];
        var calling = (
            await Chat(ConformanceHost.Model(kind) + "@tool-calls=2").CompleteChatAsync(messages, options, Cancellation)
        ).Value;
        messages.Add(new AssistantChatMessage(calling));
        foreach (var call in calling.ToolCalls)
            messages.Add(new ToolChatMessage(call.Id, "eleven degrees"));
        var answer = (await Chat(ConformanceHost.Model(kind)).CompleteChatAsync(messages, options, Cancellation)).Value;

        Assert.Equal(ChatFinishReason.ToolCalls, calling.FinishReason);
        Assert.Equal(["get_weather", "get_time"], calling.ToolCalls.Select(c => c.FunctionName));
        Assert.Equal(SdkSample.Hello, answer.Content[0].Text);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_raises_its_own_errors(string kind)
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            Chat(gateway.ModelThatFails(kind) + "@status=429,error-message=Slowly.,retry-after=7")
                .CompleteChatAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation)
        );

        Assert.Equal(429, error.Status);
        Assert.Contains("Slowly.", error.Message, StringComparison.Ordinal);
        Assert.True(error.GetRawResponse()!.Headers.TryGetValue("retry-after", out var pause));
        Assert.Equal("7", pause);
    }

    private ChatClient Chat(string model) => gateway.OpenAi().GetChatClient(model);
}
