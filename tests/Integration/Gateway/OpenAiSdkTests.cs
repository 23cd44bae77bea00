using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>The official .NET SDK, as an application uses it: only the base address and the key are changed.</summary>
public sealed class OpenAiSdkTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_completes_a_chat()
    {
        var answer = (
            await Chat("gpt-fake").CompleteChatAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation)
        ).Value;

        Assert.Equal("Hello! How can I assist you today?", answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal(28, answer.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task It_streams_with_usage()
    {
        var text = new StringBuilder();
        ChatTokenUsage? usage = null;
        await foreach (
            var update in Chat("gpt-fake")
                .CompleteChatStreamingAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation)
        )
        {
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
            usage = update.Usage ?? usage;
        }

        Assert.Equal("Hello! How can I assist you today?", text.ToString());
        // This SDK always asks for the usage of a stream.
        Assert.Equal(9, usage!.OutputTokenCount);
    }

    [Fact]
    public async Task It_gets_tool_calls()
    {
        var options = new ChatCompletionOptions
        {
            Tools =
            {
                ChatTool.CreateFunctionTool(
                    "get_weather",
                    functionParameters: BinaryData.FromString("""{"type":"object"}""")
                ),
            },
        };

        var answer = (
            await Chat("gpt-fake@tool-calls=1").CompleteChatAsync([new UserChatMessage("Hello")], options, Cancellation)
        ).Value;

        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        Assert.Equal("get_weather", Assert.Single(answer.ToolCalls).FunctionName);
    }

    [Theory]
    [InlineData("@status=429", 429)]
    [InlineData("@status=500", 500)]
    [InlineData("no-such-model", 404)]
    public async Task It_sees_errors_as_it_sees_OpenAIs(string model, int status)
    {
        // What fails rests its deployment, so it is not the one that the other tests call.
        var name = model.StartsWith('@') ? gateway.ModelThatMayFail() + model : model;
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            Chat(name).CompleteChatAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation)
        );

        Assert.Equal(status, error.Status);
    }

    [Fact]
    public async Task It_sees_a_wrong_key_as_it_sees_OpenAIs()
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            Chat("gpt-fake", "vk_wrong")
                .CompleteChatAsync([new UserChatMessage("Hello")], cancellationToken: Cancellation)
        );

        Assert.Equal(401, error.Status);
    }

    [Fact]
    public async Task It_can_leave_a_stream()
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (
                var update in Chat("simulator:chunks=50,chunk-delay=50ms")
                    .CompleteChatStreamingAsync([new UserChatMessage("Hello")], cancellationToken: leaving.Token)
            )
            {
                if (update.ContentUpdate.Count > 0)
                    await leaving.CancelAsync();
            }
        });
    }

    [Fact]
    public async Task It_lists_models()
    {
        var models = (
            await new OpenAIModelClient(new ApiKeyCredential(gateway.ApiKey), Options()).GetModelsAsync(Cancellation)
        ).Value;

        Assert.Contains(models, m => m.Id == "simulator");
        Assert.Contains(models, m => m.Id == "fast");
    }

    private OpenAI.Chat.ChatClient Chat(string model, string? key = null) =>
        new(model, new ApiKeyCredential(key ?? gateway.ApiKey), Options());

    private OpenAIClientOptions Options() =>
        new() { Endpoint = new Uri(gateway.Host.Address, "v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) };
}
