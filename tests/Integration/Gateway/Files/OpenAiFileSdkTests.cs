using System.ClientModel;
using OpenAI;
using OpenAI.Files;

namespace Verbatim.Tests.Integration.Gateway.Files;

/// <summary>The official .NET SDK's client of files, as an application uses it.</summary>
public sealed class OpenAiFileSdkTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_sends_lists_reads_and_deletes_files()
    {
        var client = new OpenAIFileClient(
            new ApiKeyCredential(gateway.ApiKey),
            new OpenAIClientOptions { Endpoint = new Uri(gateway.Host.Address, "v1") }
        );
        var content = BinaryData.FromString("Some text.");

        OpenAIFile file = await client.UploadFileAsync(content, "notes.txt", FileUploadPurpose.Assistants);
        Assert.Equal("notes.txt", file.Filename);
        Assert.Contains((await client.GetFilesAsync(Cancellation)).Value, f => f.Id == file.Id);
        OpenAIFile again = await client.GetFileAsync(file.Id, Cancellation);
        Assert.Equal(10, again.SizeInBytes);
        Assert.Equal("Some text.", (await client.DownloadFileAsync(file.Id, Cancellation)).Value.ToString());
        Assert.True((await client.DeleteFileAsync(file.Id, Cancellation)).Value.Deleted);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() => client.GetFileAsync(file.Id, Cancellation));
        Assert.Equal(404, gone.Status);
    }
}
