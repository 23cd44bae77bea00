using System.Text;
using OpenAI.Responses;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>OpenAI's official .NET SDK with responses in the background, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkBackgroundTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.DistinctKinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_creates_asks_again_and_cancels(string kind)
    {
        var client = Client();
        var response = (await client.CreateResponseAsync(Options(kind, "delay-ms=300"), Cancellation)).Value;
        Assert.True(response.BackgroundModeEnabled);
        while (response.Status is ResponseStatus.Queued or ResponseStatus.InProgress)
        {
            await Task.Delay(20, Cancellation);
            response = (await client.GetResponseAsync(response.Id, Cancellation)).Value;
        }
        Assert.Equal(ResponseStatus.Completed, response.Status);
        Assert.Equal(SdkSample.Hello, response.GetOutputText());

        var endless = (await client.CreateResponseAsync(Options(kind, "delay-ms=20000"), Cancellation)).Value;
        var cancelled = (await client.CancelResponseAsync(endless.Id, Cancellation)).Value;
        Assert.Equal(ResponseStatus.Cancelled, cancelled.Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_takes_a_stream_up_again(string kind)
    {
        var client = Client();
        var options = Options(kind, "chunk-delay-ms=20");
        options.StreamingEnabled = true;
        string? id = null;
        var number = 0;
        var text = new StringBuilder();
        await foreach (var update in await client.CreateResponseStreamingAsync(options, Cancellation))
        {
            number = update.SequenceNumber;
            id ??= (update as StreamingResponseCreatedUpdate)?.Response.Id;
            if (update is not StreamingResponseOutputTextDeltaUpdate delta)
                continue;
            text.Append(delta.Delta);
            break;
        }
        StreamingResponseUpdate? last = null;
        await foreach (
            var update in await client.GetResponseStreamingAsync(
                new GetResponseOptions(id!) { StreamingEnabled = true, StartingAfter = number },
                Cancellation
            )
        )
        {
            Assert.Equal(++number, update.SequenceNumber);
            last = update;
            if (update is StreamingResponseOutputTextDeltaUpdate delta)
                text.Append(delta.Delta);
        }

        Assert.Equal(SdkSample.Hello, text.ToString());
        Assert.Equal(SdkSample.Hello, Assert.IsType<StreamingResponseCompletedUpdate>(last).Response.GetOutputText());
    }

    private ResponsesClient Client() => gateway.OpenAi().GetResponsesClient();

    private static CreateResponseOptions Options(string kind, string commands) =>
        new($"{ConformanceHost.Model(kind)}@{commands}", [ResponseItem.CreateUserMessageItem("Hello")])
        {
            BackgroundModeEnabled = true,
        };
}
