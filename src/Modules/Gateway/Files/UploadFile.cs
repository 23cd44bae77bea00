using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

internal sealed class UploadFile(
    FileProviders providers,
    DocumentStore documents,
    UploadEnds ends,
    InferenceJournal journal,
    IdSource ids,
    TimeProvider time
) : IEndpoint
{
    private const int MaxBoundary = 200;

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/files", (Delegate)HandleAsync)
            .DisableValidation()
            .DisableAntiforgery()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(ModelsDialect.Instance, OwnSizeLimit.Instance)
            .WithTags("OpenAI")
            .WithName("uploadFile")
            .WithSummary("Send a file to a provider")
            .WithDescription(
                """
                OpenAI's file upload; Anthropic's for clients that send `anthropic-version`. The form passes to the provider as it comes, and its answer
                comes back as it is: the id in it is what requests name the file by, as long as they go to the same provider. The file is yours: nobody
                else of those who share the provider's credential can see or use it. Where several providers keep files, name one in the header
                `x-verbatim-provider`. What identifies the content is on record, not the content.
                """
            )
            // Anything else is refused here, in the caller's wire, and not before it is known who they are.
            .Accepts<FileForm>("multipart/form-data", RouteDescriptions.AnyContent)
            .WithRequestExample(new FileForm("(the content of report.pdf)", "user_data"))
            .Produces<OpenAiFile>()
            .WithResponseExample(StatusCodes.Status200OK, OpenAiFile.Example)
            .ProducesError(
                400,
                "file_provider_needed",
                "Several providers keep files; name one in the header 'x-verbatim-provider': 'openai', 'azure'."
            )
            .ProducesError(
                400,
                "no_file_provider",
                "You can ask no provider that keeps files of this API: there is none."
            )
            .ProducesError(400, "missing_required_parameter", "Missing required parameter: 'file'.")
            .ProducesError(413, "file_too_large", FileUploadContent.TooLarge(536_870_912).Message)
            .ProducesError(415, "unsupported_content_type", NotAForm.Message)
            .ProducesError(502, "upstream_unreachable", AttemptFailure.Unreachable.Message)
            .ProducesError(504, "upstream_timeout", AttemptFailure.Late.Message);

    private static readonly HttpError NotAForm = new(
        415,
        "unsupported-media-type",
        "Send the file in a form: 'Content-Type: multipart/form-data'."
    );

    internal async Task HandleAsync(HttpContext http)
    {
        var caller = Caller.Of(http);
        var wire = FileWire.Of(http.Request);
        var limit = providers.MaxFileBytes;
        if (
            !MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        )
            await wire.Dialect.WriteAsync(http, NotAForm);
        else if (HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= MaxBoundary } boundary)
            await wire.Dialect.WriteAsync(http, FileUploadContent.Malformed("its content type names no boundary"));
        else if (http.Request.ContentLength > limit + FileUploadContent.MostBeside)
            await wire.Dialect.WriteAsync(http, FileUploadContent.TooLarge(limit));
        else if (!providers.TryChoose(caller, wire, http.Request, out var provider, out var error))
            await wire.Dialect.WriteAsync(http, error);
        else
            await UploadAsync(http, caller, wire, provider, boundary.Value!, limit);
    }

    private async Task UploadAsync(
        HttpContext http,
        Caller caller,
        FileWire wire,
        Provider provider,
        string boundary,
        long limit
    )
    {
        var id = ids.New();
        // An upload has no version before it.
        var context = caller.For(http) with
        {
            IfMatch = null,
        };
        try
        {
            await documents.CreateAsync(
                context,
                [
                    documents.New<ProviderFile>(
                        id,
                        new FileUploadStarted(
                            wire.Name,
                            caller.PrincipalId,
                            caller.ProjectId,
                            provider.Settings.Id,
                            provider.Settings.Name,
                            journal.Instance
                        )
                    ),
                ],
                [],
                http.RequestAborted
            );
        }
        catch (LogUnavailableException)
        {
            // The commit may have happened all the same. Nothing was sent, which is worth a line in the record.
            ends.RecordLater(context, id, new FileUploadFailed("not-recorded", 503));
            throw;
        }

        using var watch = new SilenceWatch(time, http.RequestAborted);
        using var content = new FileUploadContent(
            http.Request.Body,
            boundary,
            http.Request.ContentLength,
            limit,
            watch
        );
        content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.AddressOf("files", ""))
        {
            Content = content,
        };
        FileReply reply;
        try
        {
            reply = await FileCalls.AskAsync(provider, request, http.Request.Headers, watch);
            if (reply.Failure is not null)
                http.RequestAborted.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            await ends.RecordAsync(context, id, new FileUploadFailed("client-left", 499));
            return;
        }
        catch (BadHttpRequestException e)
        {
            // The caller's own connection: cut, or too slow.
            await ends.RecordAsync(context, id, new FileUploadFailed("client-left", e.StatusCode));
            throw;
        }
        using (reply)
            await EndAsync(http, context, id, wire, content, reply);
    }

    // The provider has answered: what it says is heard and recorded, whatever becomes of the caller.
    private async Task EndAsync(
        HttpContext http,
        AppendContext context,
        Guid id,
        FileWire wire,
        FileUploadContent content,
        FileReply reply
    )
    {
        if (content.Refusal is { } refusal)
        {
            await ends.RecordAsync(
                context,
                id,
                new FileUploadFailed(refusal.Code?.Replace('_', '-') ?? "malformed-form", refusal.Status)
            );
            await wire.Dialect.WriteAsync(http, refusal);
            return;
        }
        if (reply.Failure is { } failure)
        {
            await ends.RecordAsync(context, id, new FileUploadFailed(failure.Code, failure.Status));
            await FileCalls.FailAsync(http, wire, failure);
            return;
        }
        var response = reply.Response!;
        using var watch = new SilenceWatch(time, CancellationToken.None);
        var body = await FileCalls.ReadAsync(response, watch);
        if (!response.IsSuccessStatusCode)
        {
            await ends.RecordAsync(context, id, new FileUploadFailed("upstream-status", (int)response.StatusCode));
            await FileCalls.RelayErrorAsync(http, wire, response, body);
            return;
        }
        using var json = body is null ? null : FileCalls.Parse(body);
        if (
            json is null
            || wire.Read(json.RootElement) is not { } file
            || !OwnedFiles.IsId(file.Id)
            || content.Digest is not { } digest
        )
        {
            await ends.RecordAsync(
                context,
                id,
                new FileUploadFailed(AttemptFailure.NotJson.Code, AttemptFailure.NotJson.Status)
            );
            await FileCalls.FailAsync(http, wire, AttemptFailure.NotJson);
            return;
        }
        await ends.RecordAsync(
            context,
            id,
            new FileUploaded(
                file.Id,
                file.FileName ?? content.FileName,
                file.MediaType,
                file.Purpose,
                digest,
                file.CreatedAt ?? time.GetUtcNow(),
                file.ExpiresAt
            )
        );
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body!.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}

/// <summary>A file to be sent, as OpenAI's API takes it; Anthropic's takes the file alone. Other fields pass on as they are.</summary>
/// <param name="File">The file's content.</param>
/// <param name="Purpose">What it is for: <c>user_data</c>, <c>assistants</c>, <c>vision</c> …</param>
internal sealed record FileForm(string File, string Purpose);
