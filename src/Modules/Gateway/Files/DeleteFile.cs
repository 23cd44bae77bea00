using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

internal sealed class DeleteFile(OwnedFiles files, FileProviders providers, DocumentStore documents, TimeProvider time)
    : IEndpoint
{
    internal static readonly HttpError ProviderGone = new(
        409,
        "gateway.file-provider-gone",
        "The provider that has this file cannot be asked any more; tell your administrator."
    );

    private static readonly HttpError Stale = new(
        412,
        "version-mismatch",
        "It was changed since the version that If-Match names; read it again, and repeat the request with its new ETag."
    );

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/files/{fileId}", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(ModelsDialect.Instance)
            .WithTags("OpenAI")
            .WithName("deleteFile")
            .WithSummary("Delete a file")
            .WithDescription("Deletes a file of yours at its provider. That it was there stays on record.")
            .Produces<DeletedOpenAiFile>()
            .WithResponseExample(
                StatusCodes.Status200OK,
                new DeletedOpenAiFile(OpenAiFile.Example.Id, "file", Deleted: true)
            )
            .ProducesError(404, "file_not_found", OpenAiFileWire.Instance.NotFound("file-0").Message)
            .ProducesError(409, "file_provider_gone", ProviderGone.Message)
            .ProducesError(412, "version_mismatch", Stale.Message)
            .ProducesError(502, "upstream_unreachable", AttemptFailure.Unreachable.Message)
            .ProducesError(504, "upstream_timeout", AttemptFailure.Late.Message);

    private async Task HandleAsync([Description("The file's id.")] string fileId, HttpContext http, Caller caller)
    {
        var wire = FileWire.Of(http.Request);
        var context = caller.For(http);
        // Who reads all that is in the organization may still change only what is their own.
        var access =
            caller.Reach == Reach.Organization ? caller.Access : Access.ToOwn(caller.TenantId, caller.PrincipalId);
        if (await files.FindAsync(access, wire, fileId, http.RequestAborted) is not { } file)
            await wire.Dialect.WriteAsync(http, wire.NotFound(fileId));
        else if (context.IfMatch?.Allows(file.Version) is false)
            await wire.Dialect.WriteAsync(http, wire.Dialect.From(Stale));
        else if (providers.Find(caller, file.Value) is not { } provider)
            await wire.Dialect.WriteAsync(http, wire.Dialect.From(ProviderGone));
        else
            await DeleteAsync(http, wire, context, provider, file);
    }

    private async Task DeleteAsync(
        HttpContext http,
        FileWire wire,
        AppendContext context,
        Provider provider,
        Identified<ProviderFile> file
    )
    {
        var upstreamId = file.Value.UpstreamId!;
        using var watch = new SilenceWatch(time, http.RequestAborted);
        using var request = new HttpRequestMessage(HttpMethod.Delete, provider.AddressOf($"files/{upstreamId}", ""));
        using var reply = await FileCalls.AskAsync(provider, request, http.Request.Headers, watch);
        if (reply.Failure is { } failure)
        {
            await FileCalls.FailAsync(http, wire, failure);
            return;
        }
        // What is not there any more is deleted, whoever did it: so what an instance that died had begun can be ended.
        if (!reply.Response!.IsSuccessStatusCode && (int)reply.Response.StatusCode is not (404 or 410))
        {
            await FileCalls.RelayErrorAsync(
                http,
                wire,
                reply.Response,
                await FileCalls.ReadAsync(reply.Response, watch)
            );
            return;
        }
        var outcome = await documents.DecideAsync<ProviderFile>(
            context with
            {
                IfMatch = null,
            },
            file.Id,
            f => Decide(f, time.GetUtcNow()),
            CancellationToken.None
        );
        await (
            outcome.IsSuccess
                ? TypedResults.Ok(wire.ShowDeleted(upstreamId)).ExecuteAsync(http)
                : wire.Dialect.WriteAsync(http, wire.NotFound(upstreamId))
        );
    }

    internal static Decision Decide(ProviderFile? file, DateTimeOffset now) =>
        file is { Status: ProviderFileStatus.Uploaded }
            ? Decision.Append(new FileDeleted(now))
            : Decision.Refuse(RefusalKind.NotFound, "gateway.file-not-found", "There is no such file.");
}
