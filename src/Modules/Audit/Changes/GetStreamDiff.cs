using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>Between which two moments.</summary>
public sealed record GetStreamDiffRequest
{
    /// <summary>The earlier moment.</summary>
    [Required(ErrorMessage = "Give the version or the instant to begin with.")]
    [Moment]
    [Description("The earlier moment: a version of the stream, or an instant (RFC 3339).")]
    public string? From { get; init; }

    /// <summary>The later moment.</summary>
    [Moment]
    [Description("The later moment: a version of the stream, or an instant (RFC 3339); now, if left out.")]
    public string? To { get; init; }
}

/// <summary>What is different in a document between two moments.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="StreamType">What it is the history of.</param>
/// <param name="From">The earlier moment.</param>
/// <param name="To">The later moment.</param>
/// <param name="Changes">The differences, in the order of the document; empty when there is none.</param>
public sealed record StreamDiffResponse(
    Guid StreamId,
    string StreamType,
    StreamMoment From,
    StreamMoment To,
    IReadOnlyList<DocumentChange> Changes
)
{
    internal static readonly StreamDiffResponse Example = new(
        Samples.StreamId,
        "inference",
        new StreamMoment(1, Samples.BeganAt),
        new StreamMoment(2, Samples.BeganAt.AddMicroseconds(1_333_333)),
        [
            new DocumentChange(
                ChangeKind.Changed,
                "/status",
                new RawJson("\"started\""u8.ToArray()),
                new RawJson("\"completed\""u8.ToArray())
            ),
            new DocumentChange(
                ChangeKind.Added,
                "/usage",
                Before: null,
                new RawJson("""{"inputTokens":12,"outputTokens":3}"""u8.ToArray())
            ),
        ]
    );
}

/// <summary>A version of a stream, and when it came to be.</summary>
/// <param name="Version">The number of events up to then.</param>
/// <param name="Time">When the last of them was recorded.</param>
public sealed record StreamMoment(long Version, DateTime Time);

/// <summary>One difference.</summary>
/// <param name="Kind">What became of the value.</param>
/// <param name="Path">Where it is, as a JSON pointer (RFC 6901).</param>
/// <param name="Before">The value before; null for what was added.</param>
/// <param name="After">The value after; null for what was removed.</param>
public sealed record DocumentChange(ChangeKind Kind, string Path, RawJson? Before, RawJson? After)
{
    internal static DocumentChange Of(StateChange change) =>
        new(change.Kind, change.Place.Pointer, ValueOf(change.Before), ValueOf(change.After));

    private static RawJson? ValueOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Undefined ? null : new RawJson(JsonMarshal.GetRawUtf8Value(value).ToArray());
}

internal sealed class GetStreamDiff : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/streams/{id:guid}/diff", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Compare a stream's document at two moments")
            .WithDescription(
                """
                What is different in the document that the stream adds up to, between two versions or instants: each difference with its place
                (RFC 6901) and the value before and after. A list that became shorter is told as a whole.
                """
            )
            .WithResponseExample(StatusCodes.Status200OK, StreamDiffResponse.Example)
            .ProducesError(400, StreamErrors.WrongOrder.Code, StreamErrors.WrongOrder.Message)
            .ProducesError(404, StreamErrors.NotFound.Code, StreamErrors.NotFound.Message)
            .ProducesError(404, SampleErrors.NoDocument.Code, SampleErrors.NoDocument.Message)
            .ProducesError(404, SampleErrors.NoSuchVersion.Code, SampleErrors.NoSuchVersion.Message)
            .ProducesError(404, SampleErrors.NotBegun.Code, SampleErrors.NotBegun.Message)
            .ProducesError(501, SampleErrors.UnknownEvent.Code, SampleErrors.UnknownEvent.Message)
            .ProducesError(501, SampleErrors.UnfitEvent.Code, SampleErrors.UnfitEvent.Message);

    private static async Task<Results<Ok<StreamDiffResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The stream.")] Guid id,
        [AsParameters] GetStreamDiffRequest request,
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
        var (from, to) = (0L, head.Version);
        if (Moment.TryParse(request.From, out var first))
        {
            (from, var error) = await first.FindAsync(caller.TenantId, id, head, streams, cancellationToken);
            if (error is not null)
                return Problems.Create(error);
        }
        if (Moment.TryParse(request.To, out var last))
        {
            (to, var error) = await last.FindAsync(caller.TenantId, id, head, streams, cancellationToken);
            if (error is not null)
                return Problems.Create(error);
        }
        // Two instants may lie between the same two events, and be in the wrong order all the same.
        if (from > to || (first is { At: { } begin } && last is { At: { } end } && begin.Floor > end.Floor))
            return Problems.Create(StreamErrors.WrongOrder);

        StateStep? one = null;
        StateStep? two = null;
        await foreach (var step in steps.ReadAsync(caller.TenantId, id, head.StreamType, from, to, cancellationToken))
        {
            if (step.Fault is { } fault)
                return Problems.Create(StreamErrors.NoState(fault));
            one ??= step;
            two = step;
        }
        using var before = JsonDocument.Parse(one!.After!.Value.Utf8, JsonLook.Options);
        using var after = JsonDocument.Parse(two!.After!.Value.Utf8, JsonLook.Options);
        return TypedResults.Ok(
            new StreamDiffResponse(
                id,
                head.StreamType,
                new StreamMoment(from, one.Event.Time.UtcDateTime),
                new StreamMoment(to, two.Event.Time.UtcDateTime),
                [.. StateDiff.Between(before.RootElement, after.RootElement).Select(DocumentChange.Of)]
            )
        );
    }
}
