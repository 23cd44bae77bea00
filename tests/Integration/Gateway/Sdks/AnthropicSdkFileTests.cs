using System.Net.Http.Headers;
using System.Text;
using Anthropic;
using Anthropic.Core;
using Anthropic.Exceptions;
using Anthropic.Models.Files;
using Anthropic.Models.Messages;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Files by Anthropic's official .NET SDK.</summary>
[Collection(SdkGateway.Name)]
public sealed class AnthropicSdkFileTests(ConformanceHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Others => [.. ConformanceHost.Kinds.Keys.Where(k => k != "anthropic")];

    [Fact]
    public async Task It_sends_lists_reads_uses_and_deletes_files()
    {
        var client = At("anthropic");
        var sent = await client.Files.Upload(Upload(), Cancellation);
        var second = await client.Files.Upload(Upload(), Cancellation);
        var read = await client.Files.RetrieveMetadata(sent.ID, cancellationToken: Cancellation);
        Assert.Equal(("download.txt", "text/plain", 10), (read.Filename, read.MimeType, read.SizeBytes));

        var listed = new List<string>();
        var page = await client.Files.List(new FileListParams { Limit = 1 }, Cancellation);
        await foreach (var file in page.Paginate(Cancellation))
            listed.Add(file.ID);
        Assert.Single(page.Items);
        Assert.Equal([second.ID, sent.ID], listed.Where(id => id == sent.ID || id == second.ID));

        using (var content = await client.Files.Download(sent.ID, cancellationToken: Cancellation))
            Assert.Equal("Some text.", await content.ReadAsString(Cancellation));
        var answer = await client.Messages.Create(
            new MessageCreateParams
            {
                Model = ConformanceHost.Model("anthropic"),
                MaxTokens = 1024,
                Messages =
                [
                    new UserMessageParam(
                        new List<ContentBlockParam>
                        {
                            new DocumentBlockParam(new FileDocumentSource(sent.ID)),
                            new TextBlockParam("Sum it up."),
                        }
                    ),
                ],
            },
            Cancellation
        );
        Assert.Equal(SdkSample.Hello, answer.TextOf());

        Assert.Equal(sent.ID, (await client.Files.Delete(sent.ID, cancellationToken: Cancellation)).ID);
        await Assert.ThrowsAsync<AnthropicNotFoundException>(() =>
            client.Files.RetrieveMetadata(sent.ID, cancellationToken: Cancellation)
        );
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task It_is_told_that_others_do_not_keep_files_so(string kind)
    {
        var error = await Assert.ThrowsAsync<AnthropicBadRequestException>(() =>
            At(kind).Files.Upload(Upload(), Cancellation)
        );

        Assert.NotNull(error.RequestID);
    }

    private IAnthropicClient At(string kind) =>
        gateway
            .Anthropic()
            .WithOptions(options =>
                options with
                {
                    ExtraHeaders = new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["x-verbatim-provider"] = $"of-{kind}",
                    },
                }
            );

    private static FileUploadParams Upload() =>
        new()
        {
            File = new BinaryContent
            {
                Stream = new MemoryStream(Encoding.UTF8.GetBytes("Some text.")),
                FileName = "download.txt",
                ContentType = new MediaTypeHeaderValue("text/plain"),
            },
        };
}
