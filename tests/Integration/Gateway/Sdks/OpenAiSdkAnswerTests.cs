using System.ClientModel;
using OpenAI.Chat;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>What chats of OpenAI's official .NET SDK learn beside the answer itself, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkAnswerTests(ConformanceHost gateway)
{
    private static readonly ChatMessage[] Messages = [new UserChatMessage("Hello")];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    public static TheoryData<string> Others => [.. ConformanceHost.Kinds.Keys.Except(["anthropic"])];

    [Theory]
    [MemberData(nameof(Others))]
    public async Task It_learns_how_likely_each_piece_was(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(ConformanceHost.Model(kind));
        var whole = (await chat.CompleteChatAsync(Messages, Likely(), Cancellation)).Value.ContentTokenLogProbabilities;
        var pieces = new List<ChatTokenLogProbabilityDetails>();
        await foreach (var update in chat.CompleteChatStreamingAsync(Messages, Likely(), Cancellation))
            pieces.AddRange(update.ContentTokenLogProbabilities ?? []);

        Assert.Equal(SdkSample.Hello, string.Concat(whole.Select(t => t.Token)));
        Assert.Equal(SdkSample.Hello, string.Concat(pieces.Select(t => t.Token)));
        Assert.All(whole.Concat(pieces), t => Assert.Equal(-0.25, t.LogProbability, 3));
    }

    [Fact]
    public async Task It_is_told_that_Anthropic_does_not_say_how_likely()
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            gateway
                .OpenAi()
                .GetChatClient(ConformanceHost.Model("anthropic"))
                .CompleteChatAsync(Messages, Likely(), Cancellation)
        );

        Assert.Equal(400, error.Status);
        Assert.Contains("logprobs", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_says_how_much_to_think(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Marked(kind, out var marker));
        var options = new ChatCompletionOptions
        {
            ReasoningEffortLevel = ChatReasoningEffortLevel.High,
            MaxOutputTokenCount = 32000,
        };
        var answer = (await chat.CompleteChatAsync(Messages, options, Cancellation)).Value;

        Assert.Equal(SdkSample.Hello, answer.Content[0].Text);
        var sent = gateway.Provider.Requests.Of(marker).Single().BodyText;
        // This model of Anthropic's is told in tokens.
        Assert.Contains(kind == "anthropic" ? "\"budget_tokens\":" : "\"high\"", sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_counts_tokens_from_a_cache_and_of_thoughts(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Model(kind, "usage=details"));
        var whole = (await chat.CompleteChatAsync(Messages, cancellationToken: Cancellation)).Value.Usage;
        ChatTokenUsage? streamed = null;
        await foreach (var update in chat.CompleteChatStreamingAsync(Messages, cancellationToken: Cancellation))
            streamed = update.Usage ?? streamed;

        Assert.All(
            [whole, streamed!],
            usage =>
            {
                Assert.Equal((2006, 300), (usage.InputTokenCount, usage.OutputTokenCount));
                Assert.Equal(2306, usage.TotalTokenCount);
                Assert.InRange(usage.InputTokenDetails.CachedTokenCount, 1, 2006);
                Assert.Equal(192, usage.OutputTokenDetails.ReasoningTokenCount);
            }
        );
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_knows_that_the_tokens_were_spent(string kind)
    {
        var command = kind == "anthropic" ? "finish-reason=max_tokens" : "finish-reason=length";
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Model(kind, command));
        var whole = (await chat.CompleteChatAsync(Messages, cancellationToken: Cancellation)).Value.FinishReason;
        ChatFinishReason? streamed = null;
        await foreach (var update in chat.CompleteChatStreamingAsync(Messages, cancellationToken: Cancellation))
            streamed = update.FinishReason ?? streamed;

        Assert.Equal(ChatFinishReason.Length, whole);
        Assert.Equal(ChatFinishReason.Length, streamed);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_knows_a_refusal(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Model(kind, "refusal=I%20cannot."));
        var answer = (await chat.CompleteChatAsync(Messages, cancellationToken: Cancellation)).Value;

        Assert.Equal("I cannot.", answer.Refusal);
        Assert.Equal(kind == "anthropic" ? ChatFinishReason.ContentFilter : ChatFinishReason.Stop, answer.FinishReason);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_stream_that_it_leaves_is_on_record_as_cancelled(string kind)
    {
        var headers = new GatewayHeaders();
        var chat = gateway.OpenAi(headers).GetChatClient(SdkSample.Model(kind, "chunks=200,chunk-delay-ms=50"));
        await foreach (var update in chat.CompleteChatStreamingAsync(Messages, cancellationToken: Cancellation))
        {
            if (update.ContentUpdate.Count > 0)
                break;
        }

        var outcome = await gateway.OutcomeOfAsync(headers.InferenceId, Cancellation);
        Assert.Equal("gateway.inference-cancelled", outcome.Type);
    }

    private static ChatCompletionOptions Likely() =>
        new() { IncludeLogProbabilities = true, TopLogProbabilityCount = 3 };
}
