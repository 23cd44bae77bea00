using Anthropic;
using Anthropic.Models.Messages;
using Anthropic.Models.Models;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>What Anthropic's official .NET SDK learns beside the answer itself, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class AnthropicSdkAnswerTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    public static MatrixTheoryData<string, bool> Ways => new(ConformanceHost.Kinds.Keys, [false, true]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_knows_that_the_tokens_were_spent(string kind, bool streamed)
    {
        var command = kind == "anthropic" ? "finish-reason=max_tokens" : "finish-reason=length";
        var message = await AskAsync(kind, command, streamed);

        Assert.Equal(StopReason.MaxTokens, message.StopReason!.Value());
        Assert.Null(message.StopSequence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_knows_the_sequence_that_stopped_it(bool streamed)
    {
        var message = await gateway
            .Anthropic()
            .Messages.AnswerAsync(
                Ask("anthropic", "stop-sequence=END") with
                {
                    StopSequences = ["END"],
                },
                streamed,
                Cancellation
            );

        Assert.Equal(StopReason.StopSequence, message.StopReason!.Value());
        Assert.Equal("END", message.StopSequence);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_knows_a_refusal(string kind, bool streamed)
    {
        var message = await AskAsync(kind, "refusal=I%20cannot.", streamed);

        if (kind == "anthropic")
        {
            Assert.Equal(StopReason.Refusal, message.StopReason!.Value());
            Assert.Equal("I cannot.", message.StopDetails!.Explanation);
            return;
        }
        // What OpenAI calls a refusal are words of the model, too.
        Assert.Equal(("I cannot.", StopReason.Refusal), (message.TextOf(), message.StopReason!.Value()));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_counts_tokens_from_a_cache_apart(string kind, bool streamed)
    {
        var usage = (await AskAsync(kind, "usage=details", streamed)).Usage;

        Assert.True(usage.CacheReadInputTokens > 0);
        Assert.Equal(2006, usage.InputTokens + usage.CacheReadInputTokens + (usage.CacheCreationInputTokens ?? 0));
        Assert.Equal(300, usage.OutputTokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_knows_how_many_tokens_were_thoughts(string kind)
    {
        var usage = (await AskAsync(kind, "usage=details", streamed: false)).Usage;

        Assert.Equal(192, usage.OutputTokensDetails!.ThinkingTokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_counts_tokens_beforehand(string kind)
    {
        using var response = await gateway
            .Anthropic()
            .Messages.WithRawResponse.CountTokens(
                new MessageCountTokensParams
                {
                    Model = ConformanceHost.Model(kind),
                    Messages = [new UserMessageParam("Hello!")],
                },
                Cancellation
            );
        var count = (await response.Deserialize(Cancellation)).InputTokens;

        if (kind == "anthropic")
        {
            Assert.Equal(19, count);
            return;
        }
        Assert.InRange(count, 4, 29);
        Assert.True(response.TryGetHeaderValues("x-verbatim-estimated", out var estimated));
        Assert.Equal("true", estimated.Single());
    }

    [Fact]
    public async Task It_lists_models_page_by_page()
    {
        var client = gateway.Anthropic();
        var all = await client.Models.List(new ModelListParams { Limit = 1000 }, Cancellation);
        var byOne = await client.Models.List(new ModelListParams { Limit = 1 }, Cancellation);
        var names = new List<string>();
        await foreach (var model in byOne.Paginate(Cancellation))
            names.Add(model.ID);

        Assert.Single(byOne.Items);
        Assert.Contains("simulator", names);
        Assert.Equal(all.Items.Select(m => m.ID), names);
    }

    [Fact]
    public async Task It_has_one_model()
    {
        var model = await gateway.Anthropic().Models.Retrieve("simulator", cancellationToken: Cancellation);

        Assert.Equal("simulator", model.ID);
        Assert.NotEmpty(model.DisplayName);
        Assert.Equal("model", model.Type.GetString());
        Assert.True(model.CreatedAt <= DateTimeOffset.UtcNow);
    }

    private Task<Message> AskAsync(string kind, string commands, bool streamed) =>
        gateway.Anthropic().Messages.AnswerAsync(Ask(kind, commands), streamed, Cancellation);

    private static MessageCreateParams Ask(string kind, string commands) =>
        new()
        {
            Model = SdkSample.Model(kind, commands),
            MaxTokens = 1024,
            Messages = [new UserMessageParam("Hello")],
        };
}
