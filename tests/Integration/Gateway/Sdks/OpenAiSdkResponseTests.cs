using System.ClientModel;
using System.Text;
using OpenAI.Responses;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Responses by OpenAI's official .NET SDK, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkResponseTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_creates_reads_and_deletes_one(string kind)
    {
        var client = gateway.OpenAi().GetResponsesClient();
        var response = (
            await client.CreateResponseAsync(ConformanceHost.Model(kind), "Hello", cancellationToken: Cancellation)
        ).Value;
        Assert.Equal((ResponseStatus.Completed, SdkSample.Hello), (response.Status, response.GetOutputText()));
        Assert.Equal((19, 28), (response.Usage.InputTokenCount, response.Usage.TotalTokenCount));

        var again = (await client.GetResponseAsync(response.Id, Cancellation)).Value;
        Assert.Equal((response.Id, SdkSample.Hello), (again.Id, again.GetOutputText()));
        var asked = new List<ResponseItem>();
        await foreach (var item in client.GetResponseInputItemsAsync(response.Id, Cancellation))
            asked.Add(item);
        Assert.Equal("Hello", Assert.IsAssignableFrom<MessageResponseItem>(Assert.Single(asked)).Content[0].Text);

        Assert.True((await client.DeleteResponseAsync(response.Id, Cancellation)).Value.Deleted);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() =>
            client.GetResponseAsync(response.Id, Cancellation)
        );
        Assert.Equal(404, gone.Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_streams_one(string kind)
    {
        var text = new StringBuilder();
        var number = 0;
        StreamingResponseUpdate? last = null;
        await foreach (
            var update in await gateway
                .OpenAi()
                .GetResponsesClient()
                .CreateResponseStreamingAsync(Options(ConformanceHost.Model(kind), streamed: true), Cancellation)
        )
        {
            Assert.Equal(number++, update.SequenceNumber);
            if (update is StreamingResponseOutputTextDeltaUpdate delta)
                text.Append(delta.Delta);
            last = update;
        }

        Assert.Equal(SdkSample.Hello, text.ToString());
        var whole = Assert.IsType<StreamingResponseCompletedUpdate>(last).Response;
        Assert.Equal((SdkSample.Hello, 9), (whole.GetOutputText(), whole.Usage.OutputTokenCount));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_goes_on_from_a_response_with_what_a_tool_brought(string kind)
    {
        var client = gateway.OpenAi().GetResponsesClient();
        var first = (
            await client.CreateResponseAsync(WithTools(Options(SdkSample.Model(kind, "tool-calls=1"))), Cancellation)
        ).Value;
        var call = Assert.Single(first.OutputItems.OfType<FunctionCallResponseItem>());
        Assert.Equal("get_weather", call.FunctionName);
        var options = WithTools(
            new CreateResponseOptions(
                SdkSample.Marked(kind, out var marker),
                [ResponseItem.CreateFunctionCallOutputItem(call.CallId, "eleven degrees")]
            )
            {
                PreviousResponseId = first.Id,
            }
        );
        var second = (await client.CreateResponseAsync(options, Cancellation)).Value;

        Assert.Equal((SdkSample.Hello, first.Id), (second.GetOutputText(), second.PreviousResponseId));
        Assert.Contains(
            "eleven degrees",
            gateway.Provider.Requests.Of(marker).Single().BodyText,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_streams_several_calls(string kind)
    {
        var pieces = new SortedDictionary<int, StringBuilder>();
        ResponseResult? whole = null;
        await foreach (
            var update in await gateway
                .OpenAi()
                .GetResponsesClient()
                .CreateResponseStreamingAsync(
                    WithTools(Options(SdkSample.Model(kind, "tool-calls=2"), streamed: true)),
                    Cancellation
                )
        )
        {
            if (update is StreamingResponseFunctionCallArgumentsDeltaUpdate delta)
            {
                if (!pieces.TryGetValue(delta.OutputIndex, out var arguments))
                    pieces[delta.OutputIndex] = arguments = new StringBuilder();
                arguments.Append(delta.Delta);
            }
            whole = (update as StreamingResponseCompletedUpdate)?.Response ?? whole;
        }

        var calls = whole!.OutputItems.OfType<FunctionCallResponseItem>().ToList();
        Assert.Equal(["get_weather", "get_time"], calls.Select(c => c.FunctionName));
        Assert.Equal(calls.Select(c => c.FunctionArguments.ToString()), pieces.Values.Select(p => p.ToString()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_gives_sealed_thoughts_back_with_the_results_of_tools(string kind)
    {
        var client = gateway.OpenAi().GetResponsesClient();
        var options = WithTools(Options(SdkSample.Once(kind, SdkSample.ThoughtAndCall, out _)));
        options.StoredOutputEnabled = false;
        options.MaxOutputTokenCount = 8000;
        options.ReasoningOptions = new ResponseReasoningOptions
        {
            ReasoningEffortLevel = ResponseReasoningEffortLevel.Medium,
        };
        options.IncludedProperties.Add(IncludedResponseProperty.ReasoningEncryptedContent);
        var first = (await client.CreateResponseAsync(options, Cancellation)).Value;
        Assert.Equal(
            SdkSample.Thought,
            Assert.Single(first.OutputItems.OfType<ReasoningResponseItem>()).GetSummaryText()
        );
        var call = Assert.Single(first.OutputItems.OfType<FunctionCallResponseItem>());
        foreach (var item in first.OutputItems)
            options.InputItems.Add(item);
        options.InputItems.Add(ResponseItem.CreateFunctionCallOutputItem(call.CallId, "eleven degrees"));
        var second = (await client.CreateResponseAsync(options, Cancellation)).Value;

        Assert.Equal(SdkSample.Hello, second.GetOutputText());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_sends_an_image_and_a_file(string kind)
    {
        var options = new CreateResponseOptions(
            SdkSample.Marked(kind, out var marker),
            [
                ResponseItem.CreateUserMessageItem([
                    ResponseContentPart.CreateInputTextPart("What is it?"),
                    ResponseContentPart.CreateInputImagePart(
                        BinaryData.FromBytes(SdkSample.PictureBytes.ToMemory(), "image/png")
                    ),
                    ResponseContentPart.CreateInputFilePart(SdkSample.DocumentBytes, "application/pdf", "a.pdf"),
                ]),
            ]
        );
        var response = (await gateway.OpenAi().GetResponsesClient().CreateResponseAsync(options, Cancellation)).Value;

        Assert.Equal(SdkSample.Hello, response.GetOutputText());
        var sent = gateway.Provider.Requests.Of(marker).Single().BodyText;
        Assert.Contains(SdkSample.Picture, sent, StringComparison.Ordinal);
        Assert.Contains(SdkSample.Document, sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_has_an_answer_by_a_schema(string kind)
    {
        var options = Options(SdkSample.Model(kind, SdkSample.Oslo));
        options.TextOptions = new ResponseTextOptions
        {
            TextFormat = ResponseTextFormat.CreateJsonSchemaFormat(
                "city",
                BinaryData.FromString(SdkSample.Schema),
                jsonSchemaIsStrict: true
            ),
        };
        var response = (await gateway.OpenAi().GetResponsesClient().CreateResponseAsync(options, Cancellation)).Value;

        Assert.Equal("""{"city":"Oslo"}""", response.GetOutputText());
        Assert.Equal(ResponseTextFormatKind.JsonSchema, response.TextOptions.TextFormat.Kind);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_counts_tokens_from_a_cache_and_of_thoughts(string kind)
    {
        var usage = (
            await gateway
                .OpenAi()
                .GetResponsesClient()
                .CreateResponseAsync(Options(SdkSample.Model(kind, "usage=details")), Cancellation)
        )
            .Value
            .Usage;

        Assert.Equal((2006, 300, 2306), (usage.InputTokenCount, usage.OutputTokenCount, usage.TotalTokenCount));
        Assert.InRange(usage.InputTokenDetails.CachedTokenCount, 1, 2006);
        Assert.Equal(192, usage.OutputTokenDetails.ReasoningTokenCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_stream_that_it_leaves_is_on_record_as_cancelled(string kind)
    {
        var headers = new GatewayHeaders();
        await foreach (
            var update in await gateway
                .OpenAi(headers)
                .GetResponsesClient()
                .CreateResponseStreamingAsync(
                    Options(SdkSample.Model(kind, "chunks=200,chunk-delay-ms=50"), streamed: true),
                    Cancellation
                )
        )
        {
            if (update is StreamingResponseOutputTextDeltaUpdate)
                break;
        }

        var outcome = await gateway.OutcomeOfAsync(headers.InferenceId, Cancellation);
        Assert.Equal("gateway.inference-cancelled", outcome.Type);
    }

    private static CreateResponseOptions Options(string model, bool streamed = false) =>
        new(model, [ResponseItem.CreateUserMessageItem("Hello")]) { StreamingEnabled = streamed ? true : null };

    private static CreateResponseOptions WithTools(CreateResponseOptions options)
    {
        foreach (var name in (string[])["get_weather", "get_time"])
        {
            options.Tools.Add(
                ResponseTool.CreateFunctionTool(
                    name,
                    BinaryData.FromString("""{"type":"object","properties":{}}"""),
                    strictModeEnabled: false
                )
            );
        }
        return options;
    }
}
