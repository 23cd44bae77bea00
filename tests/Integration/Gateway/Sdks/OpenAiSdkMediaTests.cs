using System.ClientModel;
using System.Text;
using OpenAI.Audio;
using OpenAI.Images;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Sound and images by OpenAI's official .NET SDK, against each kind of provider that has them.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkMediaTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys.Except(["anthropic"])];

    private static IEnumerable<byte> Sound => Enumerable.Range(0, 50_000).Select(i => (byte)(i * 31));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_speaks_what_it_is_given(string kind)
    {
        var client = gateway.OpenAi().GetAudioClient(SdkSample.Model(kind, "bytes=50000,chunks=5"));
        var whole = (
            await client.GenerateSpeechAsync("Hello", GeneratedSpeechVoice.Alloy, cancellationToken: Cancellation)
        ).Value;
        var pieces = new MemoryStream();
        await foreach (
            var update in await client.GenerateSpeechStreamingAsync(
                "Hello",
                GeneratedSpeechVoice.Alloy,
                cancellationToken: Cancellation
            )
        )
        {
            if (update is StreamingSpeechAudioDeltaUpdate delta)
                pieces.Write(delta.AudioBytes.ToMemory().Span);
        }

        Assert.Equal(Sound, whole.ToArray());
        Assert.Equal(Sound, pieces.ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_writes_down_what_was_said(string kind)
    {
        var client = gateway.OpenAi().GetAudioClient(ConformanceHost.Model(kind));
        var plain = (await client.TranscribeAudioAsync(Recording(), "a.wav", cancellationToken: Cancellation)).Value;
        var timed = (
            await client.TranscribeAudioAsync(
                Recording(),
                "a.wav",
                new AudioTranscriptionOptions { ResponseFormat = AudioTranscriptionFormat.Verbose },
                Cancellation
            )
        ).Value;
        var captions = (
            await client.TranscribeAudioAsync(
                Recording(),
                "a.wav",
                new AudioTranscriptionOptions { ResponseFormat = AudioTranscriptionFormat.Srt },
                Cancellation
            )
        ).Value;

        Assert.Equal(SdkSample.Hello, plain.Text);
        Assert.Equal(19, Assert.IsType<AudioTranscriptionTokenUsage>(plain.Usage).InputTokenCount);
        Assert.Equal((SdkSample.Hello, TimeSpan.FromSeconds(1)), (timed.Text, timed.Duration));
        Assert.Contains("-->", captions.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_writes_down_while_it_hears(string kind)
    {
        var text = new StringBuilder();
        StreamingAudioTranscriptionUpdate? last = null;
        await foreach (
            var update in await gateway
                .OpenAi()
                .GetAudioClient(ConformanceHost.Model(kind))
                .TranscribeAudioStreamingAsync(Recording(), "a.wav", cancellationToken: Cancellation)
        )
        {
            if (update is StreamingAudioTranscriptionTextDeltaUpdate delta)
                text.Append(delta.Delta);
            last = update;
        }

        Assert.Equal(SdkSample.Hello, text.ToString());
        Assert.Equal(SdkSample.Hello, Assert.IsType<StreamingAudioTranscriptionTextDoneUpdate>(last).Text);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_writes_down_in_English(string kind)
    {
        var heard = (
            await gateway
                .OpenAi()
                .GetAudioClient(ConformanceHost.Model(kind))
                .TranslateAudioAsync(Recording(), "a.wav", cancellationToken: Cancellation)
        ).Value;

        Assert.Equal(SdkSample.Hello, heard.Text);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_makes_images(string kind)
    {
        var client = gateway.OpenAi().GetImageClient(ConformanceHost.Model(kind));
        var two = (
            await client.GenerateImagesAsync(
                "A cat",
                imageCount: 2,
                new ImageGenerationOptions { ResponseFormat = GeneratedImageFormat.Bytes },
                Cancellation
            )
        ).Value;
        var named = (
            await client.GenerateImageAsync(
                "A cat",
                new ImageGenerationOptions { ResponseFormat = GeneratedImageFormat.Uri },
                Cancellation
            )
        ).Value;

        Assert.Equal(2, two.Count);
        Assert.All(two, i => Assert.Equal((byte)'P', i.ImageBytes.ToArray()[1]));
        Assert.Equal(19, two.Usage.InputTokenCount);
        Assert.Equal("images.example.com", named.ImageUri.Host);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_changes_images(string kind)
    {
        var client = gateway.OpenAi().GetImageClient(ConformanceHost.Model(kind));
        var changed = (
            await client.GenerateImageEditAsync(
                SdkSample.PictureBytes.ToStream(),
                "a.png",
                "A cat",
                SdkSample.PictureBytes.ToStream(),
                "mask.png",
                cancellationToken: Cancellation
            )
        ).Value;
        Assert.NotNull(changed.ImageBytes);

        var varying = client.GenerateImageVariationAsync(
            SdkSample.PictureBytes.ToStream(),
            "a.png",
            cancellationToken: Cancellation
        );
        if (kind == "azure-openai")
            Assert.Equal(400, (await Assert.ThrowsAsync<ClientResultException>(() => varying)).Status);
        else
            Assert.NotNull((await varying).Value.ImageBytes);
    }

    private static MemoryStream Recording() => new([1, 2, 3]);
}
