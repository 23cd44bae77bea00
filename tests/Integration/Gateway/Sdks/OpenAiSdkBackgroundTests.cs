using System.ClientModel;
using System.Text;
using OpenAI.Responses;
using Verbatim.Tests.Integration.Gateway.Conformance;

// The SDK calls its responses a preview; what they do is part of the API that is served.
#pragma warning disable OPENAI001

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>OpenAI's official .NET SDK with responses in the background, against each kind of provider.</summary>
public sealed class OpenAiSdkBackgroundTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private const string Hello = "Hello! How can I assist you today?";

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
        Assert.Equal(Hello, response.GetOutputText());

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

        Assert.Equal(Hello, text.ToString());
        Assert.Equal(Hello, Assert.IsType<StreamingResponseCompletedUpdate>(last).Response.GetOutputText());
    }

    private ResponsesClient Client() =>
        new(
            new ApiKeyCredential(gateway.ApiKey),
            new ResponsesClientOptions { Endpoint = new Uri(gateway.Host.Address, "v1") }
        );

    private static CreateResponseOptions Options(string kind, string commands) =>
        new($"{ConformanceHost.Model(kind)}@{commands}", [ResponseItem.CreateUserMessageItem("Hello")])
        {
            BackgroundModeEnabled = true,
        };
}
