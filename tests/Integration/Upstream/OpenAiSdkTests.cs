using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;
using OpenAI.Chat;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Upstream;

/// <summary>The official client takes the fake provider for OpenAI: what its tests prove of a gateway can be relied on.</summary>
public sealed class OpenAiSdkTests : IAsyncLifetime
{
    private static readonly ChatMessage[] Messages = [new UserChatMessage("Hi")];

    private FakeProvider _provider = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _provider = await FakeProvider.StartAsync();

    public ValueTask DisposeAsync() => _provider.DisposeAsync();

    [Fact]
    public async Task It_reads_a_completion()
    {
        ChatCompletion completion = await Client("gpt-fake").CompleteChatAsync(Messages, cancellationToken: Cancelled);

        Assert.Equal("Hello! How can I assist you today?", Assert.Single(completion.Content).Text);
        Assert.Equal(ChatFinishReason.Stop, completion.FinishReason);
        Assert.Equal(
            (19, 9, 28),
            (completion.Usage.InputTokenCount, completion.Usage.OutputTokenCount, completion.Usage.TotalTokenCount)
        );
        Assert.StartsWith("chatcmpl-", completion.Id, StringComparison.Ordinal);
        Assert.Equal("Bearer sk-fake", Assert.Single(_provider.Requests.All).Header("authorization"));
    }

    [Fact]
    public async Task It_reads_a_stream_with_its_usage()
    {
        var text = "";
        ChatFinishReason? finish = null;
        ChatTokenUsage? usage = null;
        await foreach (
            var update in Client("gpt-fake").CompleteChatStreamingAsync(Messages, cancellationToken: Cancelled)
        )
        {
            text += string.Concat(update.ContentUpdate.Select(static part => part.Text));
            finish = update.FinishReason ?? finish;
            usage = update.Usage ?? usage;
        }

        Assert.Equal("Hello! How can I assist you today?", text);
        Assert.Equal(ChatFinishReason.Stop, finish);
        Assert.Equal(28, usage?.TotalTokenCount);
    }

    [Fact]
    public async Task It_puts_parallel_tool_calls_together()
    {
        var arguments = new SortedDictionary<int, string>();
        var names = new SortedDictionary<int, string>();
        var stream = Client("gpt-fake@tool-calls=3,interleave")
            .CompleteChatStreamingAsync(Messages, cancellationToken: Cancelled);
        await foreach (var update in stream)
        {
            foreach (var call in update.ToolCallUpdates)
            {
                names.TryAdd(call.Index, call.FunctionName);
                arguments[call.Index] = arguments.GetValueOrDefault(call.Index, "") + call.FunctionArgumentsUpdate;
            }
        }

        Assert.Equal(["get_weather", "get_weather", "get_weather"], names.Values);
        Assert.Equal(
            ["""{"location":"Paris"}""", """{"location":"Tokyo"}""", """{"location":"Lima"}"""],
            arguments.Values
        );
    }

    [Fact]
    public async Task It_retries_what_may_be_retried()
    {
        var model = $"gpt-fake@status=503,retry-after=0,times=2,marker={Guid.NewGuid():N}";
        ChatCompletion completion = await Client(model, retries: 3)
            .CompleteChatAsync(Messages, cancellationToken: Cancelled);

        Assert.Equal("gpt-fake", completion.Model);
        Assert.Equal([503, 503, 200], _provider.Requests.All.Select(static request => request.Status));
    }

    [Theory]
    [InlineData("status=401", 401, "invalid_api_key")]
    [InlineData("status=429", 429, "rate_limit_exceeded")]
    [InlineData("nonsense", 400, "There is no command 'nonsense'.")]
    public async Task It_reads_an_error(string commands, int status, string part)
    {
        var exception = await Assert.ThrowsAsync<ClientResultException>(() =>
            Client($"gpt-fake@{commands}").CompleteChatAsync(Messages, cancellationToken: Cancelled)
        );

        Assert.Equal(status, exception.Status);
        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_fails_when_the_stream_is_cut()
    {
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            var stream = Client("gpt-fake@cut-after=3")
                .CompleteChatStreamingAsync(Messages, cancellationToken: Cancelled);
            await foreach (var _ in stream) { }
        });

        Assert.Equal(ExchangeOutcome.Cut, Assert.Single(_provider.Requests.All).Outcome);
    }

    private ChatClient Client(string model, int retries = 0) =>
        new(
            model,
            new ApiKeyCredential("sk-fake"),
            new OpenAIClientOptions { Endpoint = _provider.BaseAddress, RetryPolicy = new ClientRetryPolicy(retries) }
        );
}
