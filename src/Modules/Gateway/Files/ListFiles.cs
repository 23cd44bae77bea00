using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>Which files to list. The two wires page in their own ways.</summary>
public sealed record ListFilesRequest
{
    /// <summary>The file after which the page begins.</summary>
    [FromQuery(Name = "after")]
    [Description("The file after which the page begins, the `last_id` of the page before.")]
    public string? After { get; init; }

    /// <summary>Files a page.</summary>
    [FromQuery(Name = "limit")]
    [Description(
        "Files a page, 1 to 10000, which is also the default; with `anthropic-version` 1 to 1000, by default 20."
    )]
    public string? Limit { get; init; }

    /// <summary>In which order.</summary>
    [FromQuery(Name = "order")]
    [Description("`desc`, newest first, by default; or `asc`.")]
    public string? Order { get; init; }

    /// <summary>Only files of this purpose.</summary>
    [FromQuery(Name = "purpose")]
    [Description("Only files of this purpose.")]
    public string? Purpose { get; init; }

    /// <summary>The page.</summary>
    [FromQuery(Name = "page")]
    [Description("With `anthropic-version`: the `next_page` of the page before.")]
    public string? Page { get; init; }

    /// <summary>The file after which the page begins.</summary>
    [FromQuery(Name = "after_id")]
    [Description("With `anthropic-version`: the file after which the page begins.")]
    public string? AfterId { get; init; }

    /// <summary>The file before which the page ends.</summary>
    [FromQuery(Name = "before_id")]
    [Description("With `anthropic-version`: the file before which the page ends.")]
    public string? BeforeId { get; init; }

    /// <summary>Only these files.</summary>
    [FromQuery(Name = "ids")]
    [Description("With `anthropic-version`: only these files, 100 at the most.")]
    public string[]? Ids { get; init; }

    /// <summary>The same, as Anthropic's clients write it.</summary>
    [FromQuery(Name = "ids[]")]
    [Description("The same, as Anthropic's clients write it.")]
    public string[]? BracketedIds { get; init; }
}

internal sealed class ListFiles(OwnedFiles files) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/files", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(ModelsDialect.Instance)
            .WithTags("OpenAI")
            .WithName("listFiles")
            .WithSummary("List your files")
            .WithDescription(
                """
                The files that you have sent, at whichever provider they are, in OpenAI's shape; in Anthropic's for clients that send
                `anthropic-version`. Administrators and auditors see those of their organization. What else the provider has under the credential
                that is shared is not listed.
                """
            )
            .Produces<OpenAiFileList>()
            .WithResponseExample(
                StatusCodes.Status200OK,
                new OpenAiFileList(
                    "list",
                    [OpenAiFile.Example],
                    OpenAiFile.Example.Id,
                    OpenAiFile.Example.Id,
                    HasMore: false
                )
            )
            .ProducesError(400, "invalid_value", "Invalid 'order': give 'asc' or 'desc'.");

    private async Task HandleAsync([AsParameters] ListFilesRequest request, HttpContext http, Caller caller)
    {
        var wire = FileWire.Of(http.Request);
        if (!wire.TryRead(request, out var query, out var beyond, out var error))
        {
            await wire.Dialect.WriteAsync(http, error);
            return;
        }
        if (beyond is not null)
        {
            if (await files.FindAsync(caller.Access, wire, beyond, http.RequestAborted) is not { } file)
            {
                await wire.Dialect.WriteAsync(http, UnknownCursor);
                return;
            }
            query = query with { Beyond = file.Id };
        }
        var page = await files.ListAsync(caller.Access, query, http.RequestAborted);
        await TypedResults.Ok(wire.ShowPage(page)).ExecuteAsync(http);
    }

    private static readonly WireError UnknownCursor = new(
        400,
        "Invalid 'after': give the id of a file that is listed.",
        "after",
        "invalid_value"
    );
}
