using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>What an event changed, in words.</summary>
/// <param name="Version">The event's place in the stream.</param>
/// <param name="Position">Its place in the log of all events.</param>
/// <param name="Time">When it was recorded.</param>
/// <param name="Actor">Who caused it.</param>
/// <param name="Type">What happened.</param>
/// <param name="Changes">What that changed in the stream's document, a sentence each, in the order of the document.</param>
/// <param name="Fault">Why it cannot be said what changed; null when it can.</param>
public sealed record StreamChangeResponse(
    long Version,
    long Position,
    DateTime Time,
    string Actor,
    string Type,
    IReadOnlyList<string> Changes,
    string? Fault
)
{
    internal static readonly StreamChangeResponse Example = new(
        Version: 2,
        Position: 4907,
        Samples.BeganAt,
        Samples.Actor,
        "identity.user-role-changed",
        ["role: user → admin"],
        Fault: null
    );

    internal static StreamChangeResponse Of(StateStep step) =>
        new(
            step.Event.Version,
            step.Event.Position,
            step.Event.Time.UtcDateTime,
            step.Event.Actor,
            step.Event.Type,
            ChangeSentence.Of(step),
            step.Fault is { } fault ? StreamErrors.NoState(fault).Message : null
        );
}

internal sealed class ListStreamChanges : IEndpoint
{
    private static readonly HttpError InvalidCursor = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave; leave it out to begin at the first page."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/streams/{id:guid}/changes", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("List what changed in a stream, in words")
            .WithDescription(
                """
                Every event of a stream of your organization, in order: when, who, what, and what that changed in the document, as in
                `role: user → admin`. Long values are cut; `…/diff` has them whole. When an event cannot be read, it and those behind it say so
                in `fault`, and the others are told.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<StreamChangeResponse>([StreamChangeResponse.Example], NextCursor: "Mw")
            )
            .ProducesError(400, InvalidCursor.Code, InvalidCursor.Message)
            .ProducesError(404, StreamErrors.NotFound.Code, StreamErrors.NotFound.Message)
            .ProducesError(404, SampleErrors.NoDocument.Code, SampleErrors.NoDocument.Message);

    private static async Task<Results<Ok<Page<StreamChangeResponse>>, ProblemHttpResult>> HandleAsync(
        [Description("The stream.")] Guid id,
        [AsParameters] PageRequest page,
        Caller caller,
        StreamHistory streams,
        StateSteps steps,
        CancellationToken cancellationToken
    )
    {
        var from = 1L;
        if (
            page.Cursor is { } cursor
            && !(
                Cursor.TryRead(cursor, 1, out var parts)
                && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out from)
                && from > 0
            )
        )
            return Problems.Create(InvalidCursor);
        if (await streams.FindAsync(caller.TenantId, id, cancellationToken) is not { } head)
            return Problems.Create(StreamErrors.NotFound);
        if (!steps.HasDocument(head.StreamType))
            return Problems.Create(StreamErrors.NoDocument(head.StreamType));

        var to = Math.Min(head.Version, from + page.Rows - 1);
        var changes = new List<StreamChangeResponse>();
        if (from <= to)
        {
            var told = steps.ReadAsync(caller.TenantId, id, head.StreamType, from, to, cancellationToken);
            await foreach (var step in told)
                changes.Add(StreamChangeResponse.Of(step));
        }
        var next = to < head.Version ? Cursor.Write((to + 1).ToString(CultureInfo.InvariantCulture)) : null;
        return TypedResults.Ok(new Page<StreamChangeResponse>(changes, next));
    }
}
