using System.ClientModel;
using OpenAI.Embeddings;
using OpenAI.Files;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>What OpenAI's official .NET SDK asks beside answers in words, against each kind of provider.</summary>
[Collection(SdkGateway.Name)]
public sealed class OpenAiSdkEndpointTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.Kinds.Keys];

    public static TheoryData<string> Others => [.. ConformanceHost.Kinds.Keys.Except(["anthropic"])];

    [Theory]
    [MemberData(nameof(Others))]
    public async Task It_has_vectors(string kind)
    {
        var client = gateway.OpenAi().GetEmbeddingClient(ConformanceHost.Model(kind));
        var options = new EmbeddingGenerationOptions { Dimensions = 64 };
        var two = (await client.GenerateEmbeddingsAsync(["one", "two"], options, Cancellation)).Value;
        var again = (await client.GenerateEmbeddingAsync("one", options, Cancellation)).Value;
        var tokens = (
            await client.GenerateEmbeddingsAsync([new ReadOnlyMemory<int>([1, 2, 3])], options, Cancellation)
        ).Value;

        Assert.Equal([0, 1], two.Select(v => v.Index));
        Assert.All(two, v => Assert.Equal(64, v.ToFloats().Length));
        Assert.Equal(two[0].ToFloats().ToArray(), again.ToFloats().ToArray());
        Assert.NotEqual(two[0].ToFloats().ToArray(), two[1].ToFloats().ToArray());
        Assert.True(two.Usage.InputTokenCount > 0);
        Assert.Single(tokens);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_has_texts_judged_by_those_that_can(string kind)
    {
        var client = gateway.OpenAi().GetModerationClient(SdkSample.Model(kind, "filtered"));
        if (kind is "anthropic" or "azure-openai")
        {
            await IsRefusedAsync(() => client.ClassifyTextAsync("Hello", Cancellation));
            return;
        }
        var one = (await client.ClassifyTextAsync("Hello", Cancellation)).Value;
        var plain = gateway.OpenAi().GetModerationClient(ConformanceHost.Model(kind));
        var several = (await plain.ClassifyTextAsync(["One", "Two"], Cancellation)).Value;

        Assert.True(one.Flagged);
        Assert.True(one.Violence.Flagged);
        Assert.Equal([false, false], several.Select(r => r.Flagged));
    }

    [Fact]
    public async Task It_is_told_what_Anthropic_does_not_do()
    {
        var client = gateway.OpenAi();
        var model = ConformanceHost.Model("anthropic");

        await IsRefusedAsync(() =>
            client.GetEmbeddingClient(model).GenerateEmbeddingAsync("one", cancellationToken: Cancellation)
        );
        await IsRefusedAsync(() =>
            client.GetImageClient(model).GenerateImageAsync("A cat", cancellationToken: Cancellation)
        );
        await IsRefusedAsync(() =>
            client.GetAudioClient(model).GenerateSpeechAsync("Hello", "alloy", cancellationToken: Cancellation)
        );
        await IsRefusedAsync(() =>
            client
                .GetAudioClient(model)
                .TranscribeAudioAsync(new MemoryStream([1, 2, 3]), "a.wav", cancellationToken: Cancellation)
        );
    }

    [Fact]
    public async Task It_has_models()
    {
        var client = gateway.OpenAi().GetOpenAIModelClient();
        var all = (await client.GetModelsAsync(Cancellation)).Value;
        var one = (await client.GetModelAsync("simulator", Cancellation)).Value;

        Assert.Contains(all, m => m.Id == "simulator");
        Assert.Equal("simulator", one.Id);
        Assert.NotEmpty(one.OwnedBy);
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() =>
            client.GetModelAsync("no-such-model", Cancellation)
        );
        Assert.Equal(404, unknown.Status);
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task It_sends_lists_reads_and_deletes_files(string kind)
    {
        var client = gateway.OpenAi(new GatewayHeaders($"of-{kind}")).GetOpenAIFileClient();
        var content = new byte[70_000];
        new Random(1).NextBytes(content);
        OpenAIFile file = await client.UploadFileAsync(
            new MemoryStream(content),
            "notes.bin",
            FileUploadPurpose.UserData,
            Cancellation
        );
        OpenAIFile read = await client.GetFileAsync(file.Id, Cancellation);
        Assert.Equal(("notes.bin", 70_000, FilePurpose.UserData), (read.Filename, read.SizeInBytes, read.Purpose));
        Assert.Contains((await client.GetFilesAsync(Cancellation)).Value, f => f.Id == file.Id);
        Assert.Contains((await client.GetFilesAsync(FilePurpose.UserData, Cancellation)).Value, f => f.Id == file.Id);
        Assert.DoesNotContain(
            (await client.GetFilesAsync(FilePurpose.Batch, Cancellation)).Value,
            f => f.Id == file.Id
        );
        Assert.Equal(content, (await client.DownloadFileAsync(file.Id, Cancellation)).Value.ToArray());
        Assert.True((await client.DeleteFileAsync(file.Id, Cancellation)).Value.Deleted);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() => client.GetFileAsync(file.Id, Cancellation));
        Assert.Equal(404, gone.Status);
    }

    private static async Task IsRefusedAsync(Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(call);
        Assert.Equal(400, error.Status);
    }
}
