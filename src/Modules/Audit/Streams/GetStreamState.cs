using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>The moment that is wanted: a version or an instant, or neither for now.</summary>
public sealed record GetStreamStateRequest : IValidatableObject
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
public sealed record StreamStateResponse(Guid StreamId, string StreamType, long Version, DateTime Time, RawJson State)
{
    internal static readonly StreamStateResponse Example = new(
        Samples.StreamId,
        "inference",
        Version: 1,
        Samples.BeganAt,
        new RawJson("""{"status":"started","wire":"openai.chat-completions","model":"simulator"}"""u8.ToArray())
    );
}

internal sealed class GetStreamState : IEndpoint
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
            .WithResponseExample(StatusCodes.Status200OK, StreamStateResponse.Example)
            .ProducesError(404, StreamErrors.NotFound.Code, StreamErrors.NotFound.Message)
            .ProducesError(404, SampleErrors.NoDocument.Code, SampleErrors.NoDocument.Message)
            .ProducesError(404, SampleErrors.NoSuchVersion.Code, SampleErrors.NoSuchVersion.Message)
            .ProducesError(404, SampleErrors.NotBegun.Code, SampleErrors.NotBegun.Message)
            .ProducesError(501, SampleErrors.UnknownEvent.Code, SampleErrors.UnknownEvent.Message)
            .ProducesError(501, SampleErrors.UnfitEvent.Code, SampleErrors.UnfitEvent.Message);

    private static async Task<Results<Ok<StreamStateResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The stream.")] Guid id,
        [AsParameters] GetStreamStateRequest request,
        Caller caller,
        StreamHistory streams,
        StateSteps steps,
        CancellationToken cancellationToken
    )
    {
        if (await streams.FindAsync(caller.TenantId, id, cancellationToken) is not { } head)
            return Problems.Create(StreamErrors.NotFound);
        if (!steps.HasDocument(head.StreamType))
            return Problems.Create(StreamErrors.NoDocument(head.StreamType));

        var version = head.Version;
        if (WholeNumberAttribute.TryParse(request.Version, out var wanted))
        {
            if (wanted > head.Version)
                return Problems.Create(StreamErrors.NoSuchVersion(wanted, head.Version));
            version = wanted;
        }
        else if (Instant.TryParse(request.At, out var at))
        {
            version = await streams.VersionAtAsync(caller.TenantId, id, at, cancellationToken);
            if (version == 0)
                return Problems.Create(StreamErrors.NotBegun(head.BeganAt));
        }

        await foreach (
            var step in steps.ReadAsync(caller.TenantId, id, head.StreamType, version, version, cancellationToken)
        )
            return step.Fault is { } fault
                ? Problems.Create(StreamErrors.NoState(fault))
                : TypedResults.Ok(
                    new StreamStateResponse(
                        id,
                        head.StreamType,
                        version,
                        step.Event.Time.UtcDateTime,
                        step.After!.Value
                    )
                );
        return Problems.Create(StreamErrors.NotFound);
    }
}
