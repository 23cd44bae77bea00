using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Anthropic's official .NET SDK, as an application uses it, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class AnthropicSdkTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_has_a_message(string kind)
    {
        var message = await gateway.Anthropic().Messages.Create(Ask(ConformanceHost.Model(kind)), Cancellation);

        Assert.True(message.Content[0].TryPickText(out var text));
        Assert.Equal(SdkSample.Hello, text!.Text);
        Assert.Equal(19, message.Usage.InputTokens);
        Assert.Equal(9, message.Usage.OutputTokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_puts_a_stream_together(string kind)
    {
        var message = await gateway
            .Anthropic()
            .Messages.CreateStreaming(Ask(ConformanceHost.Model(kind)), Cancellation)
            .Aggregate();

        Assert.True(message.Content[0].TryPickText(out var text));
        Assert.Equal(SdkSample.Hello, text!.Text);
        Assert.Equal(9, message.Usage.OutputTokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_raises_its_own_errors(string kind)
    {
        var model = gateway.ModelThatFails(kind);
        var limited = await Assert.ThrowsAsync<AnthropicRateLimitException>(() =>
            gateway.Anthropic().Messages.Create(Ask($"{model}@status=429,error-message=Slowly."), Cancellation)
        );
        var unknown = await Assert.ThrowsAsync<AnthropicNotFoundException>(() =>
            gateway.Anthropic().Messages.Create(Ask("no-such-model"), Cancellation)
        );

        Assert.Contains("Slowly.", limited.Message, StringComparison.Ordinal);
        Assert.NotNull(limited.RequestID);
        Assert.NotNull(unknown.RequestID);
    }

    private static MessageCreateParams Ask(string model) =>
        new()
        {
            Model = model,
            MaxTokens = 1024,
            Messages = [new UserMessageParam { Content = "Hello" }],
        };
}
