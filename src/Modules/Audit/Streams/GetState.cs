using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>The moment that is wanted: a version or an instant, or neither for now.</summary>
public sealed record GetStateRequest : IValidatableObject
{
    /// <summary>After this event of the stream.</summary>
    [WholeNumber(1)]
    [Description("The state after this many events of the stream.")]
    public string? Version { get; init; }

    /// <summary>At this instant.</summary>
    [Instant]
    [Description("The state at this instant (RFC 3339): after every event that was recorded then or earlier.")]
    public string? At { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Version is not null && At is not null)
            yield return new ValidationResult("Give 'version' or 'at', not both.", [nameof(Version), nameof(At)]);
    }
}

/// <summary>What a stream's events added up to.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="StreamType">What it is the history of.</param>
/// <param name="Version">The number of events that the state is folded from.</param>
/// <param name="Time">When the last of them was recorded.</param>
/// <param name="State">The document as it was then.</param>
public sealed record StateResponse(Guid StreamId, string StreamType, long Version, DateTime Time, RawJson State);

internal sealed class GetState : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/streams/{id:guid}/state", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("See what a stream added up to at any moment")
            .WithDescription(
                """
                The document as it was after a version of its stream or at an instant; without either, as it is now. It is folded from the
                events, not read from where its present state is kept.
                """
            )
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status501NotImplemented)
            .ProducesValidationProblem()
            .WithResponseExample(StatusCodes.Status200OK, Example);

    private static async Task<Results<Ok<StateResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        [AsParameters] GetStateRequest request,
        Caller caller,
        StreamHistory streams,
        DocumentCatalog documents,
        EventCatalog catalog,
        CancellationToken cancellationToken
    )
    {
        if (await streams.FindAsync(caller.TenantId, id, cancellationToken) is not { } head)
            return StreamProblems.NotFound();
        if (documents.Find(head.StreamType) is not { } shape)
            return Problems.NotFound(
                "audit.no-document",
                $"Streams of the type '{head.StreamType}' add up to no document; read the events instead."
            );

        var version = head.Version;
        if (WholeNumberAttribute.TryParse(request.Version, out var wanted))
        {
            if (wanted > head.Version)
                return StreamProblems.NoSuchVersion(wanted, head);
            version = wanted;
        }
        else if (Instant.TryParse(request.At, out var at))
        {
            version = await streams.VersionAtAsync(caller.TenantId, id, at, cancellationToken);
            if (version == 0)
                return StreamProblems.NotBegun(head);
        }

        var fold = new StateFold(shape, catalog);
        RecordedEvent? last = null;
        try
        {
            await foreach (var recorded in streams.ReadAsync(caller.TenantId, id, 1, version, cancellationToken))
            {
                fold.Add(recorded);
                last = recorded;
            }
        }
        catch (UnknownEventException)
        {
            return StreamProblems.UnknownEvent((last?.Version ?? 0) + 1);
        }
        return TypedResults.Ok(
            new StateResponse(id, head.StreamType, version, last!.Time.UtcDateTime, fold.Json())
        );
    }

    private const string Example = """
        {
          "streamId": "0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77",
          "streamType": "inference",
          "version": 1,
          "time": "2026-01-31T12:00:00.123456Z",
          "state": { "status": "started", "wire": "openai.chat-completions", "model": "simulator" }
        }
        """;
}

internal static class StreamProblems
{
    // Another organization's stream is answered in the same words: that it exists is not told.
    public static ProblemHttpResult NotFound() =>
        Problems.NotFound("audit.stream-not-found", "There is no stream of this id in your organization.");

    public static ProblemHttpResult NoSuchVersion(long version, StreamHead head) =>
        Problems.NotFound(
            "audit.version-not-found",
            string.Create(
                CultureInfo.InvariantCulture,
                $"The stream has {head.Version} events; there is no version {version}."
            )
        );

    public static ProblemHttpResult NotBegun(StreamHead head) =>
        Problems.NotFound(
            "audit.stream-not-begun",
            string.Create(
                CultureInfo.InvariantCulture,
                $"At that instant the stream had not begun: its first event was recorded at {head.BeganAt.UtcDateTime:O}."
            )
        );

    public static ProblemHttpResult UnknownEvent(long version) =>
        Problems.Create(
            new HttpError(
                StatusCodes.Status501NotImplemented,
                "audit.event-unknown",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"This build does not know the type of event {version} of the stream, so it cannot say what the stream adds up to from there on. "
                )
                    + "Run the version of Verbatim that wrote it, or one later; the events can be read with any."
            )
        );
}
