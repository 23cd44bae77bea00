using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

internal sealed class GetFile(OwnedFiles files) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/files/{fileId}", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(ModelsDialect.Instance)
            .WithTags("OpenAI")
            .WithName("getFile")
            .WithSummary("Read about a file")
            .WithDescription(
                "What is known of a file of yours, in OpenAI's shape; in Anthropic's for clients that send `anthropic-version`."
            )
            .Produces<OpenAiFile>()
            .WithResponseExample(StatusCodes.Status200OK, OpenAiFile.Example)
            .ProducesError(404, "file_not_found", OpenAiFileWire.Instance.NotFound("file-0").Message);

    private async Task HandleAsync([Description("The file's id.")] string fileId, HttpContext http, Caller caller)
    {
        var wire = FileWire.Of(http.Request);
        if (await files.FindAsync(caller.Access, wire, fileId, http.RequestAborted) is not { } file)
        {
            await wire.Dialect.WriteAsync(http, wire.NotFound(fileId));
            return;
        }
        EntityTags.Set(http, file.Version);
        await TypedResults.Ok(wire.Show(file.Value)).ExecuteAsync(http);
    }
}
