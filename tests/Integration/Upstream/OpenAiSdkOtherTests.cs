using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;
using OpenAI.Audio;
using OpenAI.Embeddings;
using OpenAI.Files;
using OpenAI.Moderations;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Upstream;

/// <summary>The official client takes the fake provider for OpenAI beyond chat, too.</summary>
public sealed class OpenAiSdkOtherTests : IAsyncLifetime
{
    private static readonly ApiKeyCredential Key = new("sk-fake");

    private FakeProvider _provider = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private OpenAIClientOptions Options =>
        new() { Endpoint = _provider.BaseAddress, RetryPolicy = new ClientRetryPolicy(0) };

    public async ValueTask InitializeAsync() => _provider = await FakeProvider.StartAsync();

    public ValueTask DisposeAsync() => _provider.DisposeAsync();

    [Fact]
    public async Task It_reads_embeddings()
    {
        var client = new EmbeddingClient("emb-fake", Key, Options);
        OpenAIEmbeddingCollection embeddings = await client.GenerateEmbeddingsAsync(
            ["Hi", "you"],
            new EmbeddingGenerationOptions { Dimensions = 64 },
            Cancelled
        );

        Assert.Equal(2, embeddings.Count);
        Assert.All(
            embeddings,
            static embedding =>
            {
                var vector = embedding.ToFloats().ToArray();
                Assert.Equal(64, vector.Length);
                Assert.Equal(1.0, vector.Sum(static x => (double)x * x), 5);
            }
        );
        Assert.Equal(38, embeddings.Usage.TotalTokenCount);
    }

    [Theory]
    [InlineData("omni-fake", false)]
    [InlineData("omni-fake@filtered", true)]
    public async Task It_reads_a_moderation(string model, bool isFlagged)
    {
        ModerationResult result = await new ModerationClient(model, Key, Options).ClassifyTextAsync("Hi", Cancelled);

        Assert.Equal(isFlagged, result.Flagged);
        Assert.Equal(isFlagged, result.Violence.Flagged);
    }

    [Fact]
    public async Task It_sends_a_file_and_reads_it_back()
    {
        var client = new OpenAIFileClient(Key, Options);
        using var content = new MemoryStream("{\"a\":1}\n"u8.ToArray());
        OpenAIFile file = await client.UploadFileAsync(content, "a.jsonl", FileUploadPurpose.FineTune, Cancelled);
        BinaryData back = await client.DownloadFileAsync(file.Id, Cancelled);
        FileDeletionResult deleted = await client.DeleteFileAsync(file.Id, Cancelled);

        Assert.Equal("a.jsonl", file.Filename);
        Assert.Equal("{\"a\":1}\n"u8.ToArray(), back.ToArray());
        Assert.True(deleted.Deleted);
    }

    [Fact]
    public async Task It_hears_and_speaks()
    {
        var client = new AudioClient("audio-fake", Key, Options);
        using var sound = new MemoryStream([1, 2, 3]);
        AudioTranscription heard = await client.TranscribeAudioAsync(sound, "a.wav", cancellationToken: Cancelled);
        BinaryData spoken = await client.GenerateSpeechAsync(
            "Hi",
            GeneratedSpeechVoice.Alloy,
            cancellationToken: Cancelled
        );

        Assert.Equal("Hello! How can I assist you today?", heard.Text);
        Assert.Equal(4096, spoken.ToArray().Length);
    }
}
