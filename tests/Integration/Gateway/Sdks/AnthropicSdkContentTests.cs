using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Anthropic.Helpers;
using Anthropic.Models.Messages;
using Anthropic.Services;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>What Anthropic's official .NET SDK sends beside text, and what it gets, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class AnthropicSdkContentTests(ConformanceHost gateway)
{
    // The fake provider's, where it is OpenRouter.
    private const string Signature = "EqoBCkgIARABGAIiQL+fake/signature==";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    public static MatrixTheoryData<string, bool> Ways => new(ConformanceHost.Kinds.Keys, [false, true]);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_sends_an_image_and_a_document(string kind)
    {
        var message = await gateway
            .Anthropic()
            .Messages.Create(
                Ask(
                    SdkSample.Marked(kind, out var marker),
                    new TextBlockParam("What is it?"),
                    new ImageBlockParam(
                        new Base64ImageSource { Data = SdkSample.Picture, MediaType = MediaType.ImagePng }
                    ),
                    new DocumentBlockParam(new Base64PdfSource(SdkSample.Document)) { Title = "a.pdf" }
                ),
                Cancellation
            );

        Assert.Equal(SdkSample.Hello, message.TextOf());
        var sent = gateway.Provider.Requests.Of(marker).Single().BodyText;
        Assert.Contains(SdkSample.Picture, sent, StringComparison.Ordinal);
        Assert.Contains(SdkSample.Document, sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_has_an_answer_of_its_own_type(string kind)
    {
        var message = await gateway
            .Anthropic()
            .Messages.Create<City>(
                Ask(SdkSample.Model(kind, SdkSample.Oslo), new TextBlockParam("Hello")),
                Cancellation
            );

        Assert.Equal("Oslo", message.Content[0].Parsed()!.Name);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_streams_an_answer_by_a_schema(string kind)
    {
        var message = await gateway
            .Anthropic()
            .Messages.AnswerAsync(
                Ask(SdkSample.Model(kind, SdkSample.Oslo), new TextBlockParam("Hello")) with
                {
                    OutputConfig = new OutputConfig { Format = StructuredOutput.CreateJsonFormat<City>() },
                },
                streamed: true,
                Cancellation
            );

        Assert.Equal("Oslo", StructuredOutput.Parse<City>(message.TextOf())!.Name);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_gives_signed_thoughts_back_with_the_results_of_tools(string kind, bool streamed)
    {
        var messages = gateway.Anthropic().Messages;
        var asked = Ask(
            SdkSample.Once(
                kind,
                SdkSample.ThoughtAndCall + (kind == "openrouter" ? ",as=openrouter" : ""),
                out var marker
            ),
            new TextBlockParam("Hello")
        ) with
        {
            MaxTokens = 4096,
            Thinking = new ThinkingConfigEnabled(1024),
            Tools = [new Tool { Name = "get_weather", InputSchema = new InputSchema() }],
        };
        var first = await messages.AnswerAsync(asked, streamed, Cancellation);
        Assert.True(first.Content[0].TryPickThinking(out var thought));
        Assert.Equal(SdkSample.Thought, thought.Thinking);
        var call = Assert.Single(first.CallsOf());
        var second = await messages.AnswerAsync(
            asked with
            {
                Messages =
                [
                    .. asked.Messages,
                    new AssistantMessageParam(first.Content.Select(b => new ContentBlockParam(b.Json)).ToList()),
                    new UserMessageParam(
                        new List<ContentBlockParam> { new ToolResultBlockParam(call.ID) { Content = "eleven degrees" } }
                    ),
                ],
            },
            streamed,
            Cancellation
        );

        Assert.Equal(SdkSample.Hello, second.TextOf());
        if (kind is not ("anthropic" or "openrouter"))
            return;
        Assert.NotEmpty(thought.Signature);
        var sent = JsonNode.Parse(gateway.Provider.Requests.Of(marker)[1].BodyText)!["messages"]![1]!;
        if (kind == "anthropic")
            Assert.Equal(SdkSample.Thought, sent["content"]![0]!["thinking"]!.GetValue<string>());
        else
            // As it was given, its texts put together.
            Assert.Equal(
                $$"""[{"type":"reasoning.text","text":"{{SdkSample.Thought}}","signature":"{{Signature}}","format":"anthropic-claude-v1","index":0}]""",
                Ordered(sent["reasoning_details"]!)
            );
    }

    // The members of each in one order: streamed, the signature comes last.
    private static string Ordered(JsonNode details)
    {
        string[] names = ["type", "text", "signature", "format", "index"];
        return new JsonArray([
            .. details
                .AsArray()
                .Select(d => new JsonObject(
                    names.Select(n => KeyValuePair.Create(n, d![n]?.DeepClone())).Where(m => m.Value is not null)
                )),
        ]).ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    private static MessageCreateParams Ask(string model, params ContentBlockParam[] content) =>
        new()
        {
            Model = model,
            MaxTokens = 1024,
            Messages = [new UserMessageParam(content.ToList())],
        };

    internal sealed class City
    {
        [JsonPropertyName("city")]
        public string Name { get; set; } = "";
    }
}
