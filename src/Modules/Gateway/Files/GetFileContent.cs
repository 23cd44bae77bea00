using System.Buffers;
using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

internal sealed class GetFileContent(OwnedFiles files, FileProviders providers, TimeProvider time) : IEndpoint
{
    private const int ReadSize = 64 * 1024;

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/files/{fileId}/content", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(ModelsDialect.Instance)
            .WithTags("OpenAI")
            .WithName("getFileContent")
            .WithSummary("Read a file")
            .WithDescription(
                "The content of a file of yours, passed on from its provider as it comes. What the provider refuses to give out, it refuses here too."
            )
            .Produces<byte[]>(StatusCodes.Status200OK, "application/octet-stream")
            .WithResponseExample(StatusCodes.Status200OK, "\"(the content of report.pdf)\"", "application/octet-stream")
            .ProducesError(404, "file_not_found", OpenAiFileWire.Instance.NotFound("file-0").Message)
            .ProducesError(409, "file_provider_gone", DeleteFile.ProviderGone.Message)
            .ProducesError(502, "upstream_unreachable", AttemptFailure.Unreachable.Message)
            .ProducesError(504, "upstream_timeout", AttemptFailure.Late.Message);

    private async Task HandleAsync([Description("The file's id.")] string fileId, HttpContext http, Caller caller)
    {
        var wire = FileWire.Of(http.Request);
        if (await files.FindAsync(caller.Access, wire, fileId, http.RequestAborted) is not { } file)
        {
            await wire.Dialect.WriteAsync(http, wire.NotFound(fileId));
            return;
        }
        if (providers.Find(caller, file.Value) is not { } provider)
        {
            await wire.Dialect.WriteAsync(http, wire.Dialect.From(DeleteFile.ProviderGone));
            return;
        }
        using var watch = new SilenceWatch(time, http.RequestAborted);
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            provider.AddressOf($"files/{file.Value.UpstreamId}/content", "")
        );
        using var reply = await FileCalls.AskAsync(provider, request, http.Request.Headers, watch);
        if (reply.Failure is { } failure)
            await FileCalls.FailAsync(http, wire, failure);
        else if (!reply.Response!.IsSuccessStatusCode)
            await FileCalls.RelayErrorAsync(
                http,
                wire,
                reply.Response,
                await FileCalls.ReadAsync(reply.Response, watch)
            );
        else
            await RelayAsync(http, reply.Response, watch);
    }

    private static async Task RelayAsync(HttpContext http, HttpResponseMessage response, SilenceWatch watch)
    {
        var headers = http.Response.Headers;
        http.Response.ContentType = FileCalls.ContentTypeOf(response) ?? "application/octet-stream";
        http.Response.ContentLength = response.Content.Headers.ContentLength;
        // Whatever is in it, a browser must not take it for a page of this server.
        headers.ContentDisposition = "attachment";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            watch.Begin();
            await using var stream = await response.Content.ReadAsStreamAsync(watch.Ended);
            int read;
            while ((read = await stream.ReadAsync(buffer, watch.Ended)) > 0)
            {
                // A caller who reads slowly is not the provider's fault.
                watch.Rest();
                await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
                watch.Begin();
            }
        }
        catch (Exception e)
            when (e is OperationCanceledException or HttpRequestException or IOException
                && !http.RequestAborted.IsCancellationRequested
            )
        {
            // What was sent is not all of it: the end must not look like one.
            http.Abort();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
