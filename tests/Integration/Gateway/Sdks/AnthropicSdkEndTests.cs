using System.Net;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using Verbatim.Tests.Integration.Gateway.Conformance;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Calls of Anthropic's official .NET SDK that fail or are given up, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class AnthropicSdkEndTests(ConformanceHost gateway)
{
    private static readonly Dictionary<int, System.Type> Errors = new()
    {
        [400] = typeof(AnthropicBadRequestException),
        [403] = typeof(AnthropicForbiddenException),
        [404] = typeof(AnthropicNotFoundException),
        [429] = typeof(AnthropicRateLimitException),
        [500] = typeof(Anthropic5xxException),
        [529] = typeof(AnthropicOverloadedException),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    public static MatrixTheoryData<string, int> Failures => new(ConformanceHost.Kinds.Keys, Errors.Keys);

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task It_raises_the_error_of_each_status(string kind, int status)
    {
        var model = gateway.ModelThatFails(kind);
        var error = await Assert.ThrowsAnyAsync<AnthropicApiException>(() =>
            gateway
                .Anthropic()
                .Messages.Create(Ask($"{model}@status={status},error-message=It%20went%20wrong."), Cancellation)
        );

        Assert.IsAssignableFrom(Errors[status], error);
        Assert.Equal(status, (int)error.StatusCode);
        Assert.NotNull(error.RequestID);
        Assert.Contains("It went wrong.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_sees_a_wrong_key_as_it_sees_Anthropics()
    {
        var error = await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() =>
            gateway.Anthropic("sk-ant-wrong").Messages.Create(Ask(ConformanceHost.Model("anthropic")), Cancellation)
        );

        Assert.Equal(HttpStatusCode.Unauthorized, error.StatusCode);
        Assert.NotNull(error.RequestID);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_raises_an_error_in_a_stream(string kind)
    {
        var after = kind == "anthropic" ? 5 : 3;
        var model = $"{gateway.ModelThatFails(kind)}@error-after={after},error-message=It%20broke.";
        var error = await Assert.ThrowsAnyAsync<Anthropic5xxException>(async () =>
        {
            await foreach (var update in gateway.Anthropic().Messages.CreateStreaming(Ask(model), Cancellation))
                _ = update;
        });

        Assert.Contains("It broke.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_stream_that_it_leaves_is_on_record_as_cancelled(string kind)
    {
        Guid id;
        using (
            var response = await gateway
                .Anthropic()
                .Messages.WithRawResponse.CreateStreaming(
                    Ask(SdkSample.Model(kind, "chunks=200,chunk-delay-ms=50")),
                    Cancellation
                )
        )
        {
            id = Guid.Parse(response.GetHeaderValues(GatewayHost.InferenceIdHeader).Single());
            await foreach (var update in response.Enumerate(Cancellation))
            {
                if (update.TryPickContentBlockDelta(out _))
                    break;
            }
        }

        Assert.Equal("gateway.inference-cancelled", (await gateway.OutcomeOfAsync(id, Cancellation)).Type);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_stream_that_it_cancels_is_on_record_as_cancelled(string kind)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var response = await gateway
            .Anthropic()
            .Messages.WithRawResponse.CreateStreaming(
                Ask(SdkSample.Model(kind, "chunks=200,chunk-delay-ms=50")),
                leaving.Token
            );
        var id = Guid.Parse(response.GetHeaderValues(GatewayHost.InferenceIdHeader).Single());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in response.Enumerate(leaving.Token))
            {
                if (update.TryPickContentBlockDelta(out _))
                    await leaving.CancelAsync();
            }
        });

        Assert.Equal("gateway.inference-cancelled", (await gateway.OutcomeOfAsync(id, Cancellation)).Type);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_that_it_gives_up_ends_at_the_provider(string kind)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var calling = gateway
            .Anthropic()
            .Messages.Create(Ask(SdkSample.Marked(kind, out var marker) + ",delay-ms=20000"), leaving.Token);
        var request = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calling);

        await request.Finished.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
        Assert.Equal(ExchangeOutcome.ClientLeft, request.Outcome);
    }

    private static MessageCreateParams Ask(string model) =>
        new()
        {
            Model = model,
            MaxTokens = 1024,
            Messages = [new UserMessageParam("Hello")],
        };
}
