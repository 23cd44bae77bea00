using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Which streams to list: those with an event to which all filters apply.</summary>
public sealed record ListStreamsRequest : IValidatableObject
{
    /// <summary>The type of stream.</summary>
    [StringLength(50, MinimumLength = 1)]
    [Description("Only streams of this type, for instance `inference`, `api-key` or `user`.")]
    public string? Type { get; init; }

    /// <summary>Who caused an event of the stream.</summary>
    [StringLength(100, MinimumLength = 1)]
    [Description("Only streams in which this actor caused an event: `user:<id>`, `api-key:<id>` or `system:<name>`.")]
    public string? Actor { get; init; }

    /// <summary>The begin of the window, itself in it.</summary>
    [Instant]
    [Description("Only streams with an event recorded at this instant or later (RFC 3339).")]
    public string? From { get; init; }

    /// <summary>The end of the window, itself not in it.</summary>
    [Instant]
    [Description("Only streams with an event recorded before this instant (RFC 3339).")]
    public string? To { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Instant.TryParse(From, out var from) && Instant.TryParse(To, out var to) && from.Ceiling >= to.Ceiling)
            yield return new ValidationResult("Give an instant after 'from'.", [nameof(To)]);
    }

    internal StreamFilter ToFilter() =>
        // The first microsecond that is not before the instant, for both: "at or after" begins there, and "before" ends there.
        new(
            Type,
            Actor,
            Instant.TryParse(From, out var from) ? from.Ceiling : null,
            Instant.TryParse(To, out var to) ? to.Ceiling : null
        );
}

internal sealed class ListStreams : IEndpoint
{
    private static readonly HttpError InvalidCursor = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave for these filters; leave it out to begin at the first page."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/streams", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("List streams")
            .WithDescription(
                """
                The streams of your organization, newest activity first. With filters, those with an event to which all filters apply at once,
                each at its latest such event: `actor=user:…&from=…&to=…` is what a person did in that time.

                The pages of one listing show the log as it was at the first page, so nothing is skipped or shown twice while events arrive.
                A page may be shorter than `limit` and not be the last: `nextCursor` tells. Send the same filters with the cursor.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<StreamSummary>([StreamSummary.Example], NextCursor: null)
            )
            .ProducesError(400, InvalidCursor.Code, InvalidCursor.Message);

    private static async Task<Results<Ok<Page<StreamSummary>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListStreamsRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        StreamList streams,
        CancellationToken cancellationToken
    )
    {
        var filter = request.ToFilter();
        ListingPoint? from = null;
        if (page.Cursor is { } cursor)
        {
            if (!ListingPoint.TryRead(cursor, filter, out var point))
                return Problems.Create(InvalidCursor);
            from = point;
        }

        var (rows, next) = await streams.ReadAsync(caller.TenantId, filter, from, page.Rows, cancellationToken);
        return TypedResults.Ok(new Page<StreamSummary>(rows, next?.ToCursor(filter)));
    }
}
