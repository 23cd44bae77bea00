using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI.Chat;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>What chats of OpenAI's official .NET SDK carry beside text, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkContentTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_sends_an_image_and_a_file(string kind)
    {
        var answer = await AskAsync(
            SdkSample.Marked(kind, out var marker),
            ChatMessageContentPart.CreateTextPart("What is it?"),
            ChatMessageContentPart.CreateImagePart(SdkSample.PictureBytes, "image/png"),
            ChatMessageContentPart.CreateFilePart(SdkSample.DocumentBytes, "application/pdf", "a.pdf")
        );

        Assert.Equal(SdkSample.Hello, answer.Content[0].Text);
        var sent = gateway.Provider.Requests.Of(marker).Single().BodyText;
        Assert.Contains(SdkSample.Picture, sent, StringComparison.Ordinal);
        Assert.Contains(SdkSample.Document, sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_names_a_file_that_was_sent_before(string kind)
    {
        var id = await gateway.UploadAsync(kind, Cancellation);
        var asking = AskAsync(
            SdkSample.Marked(kind, out var marker),
            ChatMessageContentPart.CreateTextPart("Sum it up."),
            ChatMessageContentPart.CreateFilePart(id)
        );
        if (kind == "anthropic")
        {
            var error = await Assert.ThrowsAsync<ClientResultException>(() => asking);
            Assert.Equal(400, error.Status);
            return;
        }

        Assert.Equal(SdkSample.Hello, (await asking).Content[0].Text);
        Assert.Contains(id, gateway.Provider.Requests.Of(marker).Single().BodyText, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_sends_sound_to_those_that_hear(string kind)
    {
        var asking = AskAsync(
            SdkSample.Marked(kind, out var marker),
            ChatMessageContentPart.CreateTextPart("What is said?"),
            ChatMessageContentPart.CreateInputAudioPart(
                BinaryData.FromBytes("RIFF"u8.ToArray()),
                ChatInputAudioFormat.Wav
            )
        );
        if (kind == "anthropic")
        {
            var error = await Assert.ThrowsAsync<ClientResultException>(() => asking);
            Assert.Equal(400, error.Status);
            return;
        }

        Assert.Equal(SdkSample.Hello, (await asking).Content[0].Text);
        Assert.Contains("UklGRg==", gateway.Provider.Requests.Of(marker).Single().BodyText, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_has_an_answer_by_a_schema(string kind)
    {
        var chat = gateway.OpenAi().GetChatClient(SdkSample.Model(kind, SdkSample.Oslo));
        var options = new ChatCompletionOptions
        {
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat(
                "city",
                BinaryData.FromString(SdkSample.Schema),
                jsonSchemaIsStrict: true
            ),
        };
        List<ChatMessage> messages = [new UserChatMessage("Hello")];
        var whole = (await chat.CompleteChatAsync(messages, options, Cancellation)).Value.Content[0].Text;
        var pieces = new StringBuilder();
        await foreach (var update in chat.CompleteChatStreamingAsync(messages, options, Cancellation))
        {
            foreach (var part in update.ContentUpdate)
                pieces.Append(part.Text);
        }

        Assert.Equal(whole, pieces.ToString());
        using var json = JsonDocument.Parse(whole);
        Assert.Equal("Oslo", json.RootElement.GetProperty("city").GetString());
    }

    private async Task<ChatCompletion> AskAsync(string model, params ChatMessageContentPart[] parts) =>
        await gateway
            .OpenAi()
            .GetChatClient(model)
            .CompleteChatAsync([new UserChatMessage(parts)], cancellationToken: Cancellation);
}
