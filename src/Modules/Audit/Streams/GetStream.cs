using System.ComponentModel;
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

/// <summary>Where to begin in a stream.</summary>
public sealed record GetStreamRequest
{
    /// <summary>The first version that is wanted.</summary>
    [WholeNumber(1)]
    [Description("The first version that is wanted; 1 if left out. A cursor goes before it.")]
    public string? FromVersion { get; init; }
}

/// <summary>A part of a stream.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="StreamType">What it is the history of.</param>
/// <param name="Version">The number of its events. The <c>ETag</c> is the same.</param>
/// <param name="Data">Its events, in the order in which they happened.</param>
/// <param name="NextCursor">Where the next page begins, or null on the last page.</param>
public sealed record StreamResponse(
    Guid StreamId,
    string StreamType,
    long Version,
    IReadOnlyList<EventResponse> Data,
    string? NextCursor
);

/// <summary>An event as it stands in the log.</summary>
/// <param name="Position">Its place in the log of all events.</param>
/// <param name="Version">Its place in the stream, 1 for the first.</param>
/// <param name="Type">What happened, for instance <c>gateway.inference-started</c>.</param>
/// <param name="TypeVersion">The version of the shape of <c>data</c>.</param>
/// <param name="Time">When it was recorded.</param>
/// <param name="Actor">Who caused it: <c>user:…</c>, <c>api-key:…</c> or <c>system:…</c>.</param>
/// <param name="Correlation">The <c>x-request-id</c> of the request that caused it; empty if none did.</param>
/// <param name="Data">What happened, as the very JSON text that is stored: white space and order included.</param>
/// <param name="LeafHash">The RFC 6962 leaf hash of the event, in hexadecimal.</param>
public sealed record EventResponse(
    long Position,
    long Version,
    string Type,
    int TypeVersion,
    DateTime Time,
    string Actor,
    string Correlation,
    RawJson Data,
    string LeafHash
)
{
    internal static EventResponse From(RecordedEvent recorded) =>
        new(
            recorded.Position,
            recorded.Version,
            recorded.Type,
            recorded.TypeVersion,
            recorded.Time.UtcDateTime,
            recorded.Actor,
            recorded.Correlation,
            new RawJson(recorded.Data),
            Convert.ToHexStringLower(recorded.LeafHash.Span)
        );
}

internal sealed class GetStream : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/streams/{id:guid}", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Read the events of a stream")
            .WithDescription(
                """
                Every event of a stream of your organization, in order, with its data as the exact JSON text that is stored.
                The `ETag` is the stream's version. A page ends early when its data comes to 8 MB.
                """
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesValidationProblem()
            .WithResponseExample(StatusCodes.Status200OK, Example);

    private static async Task<Results<Ok<StreamResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        [AsParameters] GetStreamRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        StreamHistory streams,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        var from = WholeNumberAttribute.TryParse(request.FromVersion, out var version) ? version : 1;
        if (page.Cursor is { } cursor && !TryRead(cursor, out from))
            return Problems.BadRequest(
                "invalid-cursor",
                "The cursor is not one that this list gave; leave it out to begin at the first page."
            );

        if (await streams.FindAsync(caller.TenantId, id, cancellationToken) is not { } head)
            return StreamProblems.NotFound();

        // Beyond the end there is nothing yet: whoever follows a stream asks there.
        var events = new List<EventResponse>();
        var to = head.Version;
        if (from <= head.Version)
        {
            to = await streams.EndOfPageAsync(
                caller.TenantId,
                id,
                from,
                Math.Min(head.Version, from + page.Rows - 1),
                cancellationToken
            );
            await foreach (var recorded in streams.ReadAsync(caller.TenantId, id, from, to, cancellationToken))
                events.Add(EventResponse.From(recorded));
        }

        response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{head.Version}\"");
        var next = to < head.Version ? Cursor.Write((to + 1).ToString(CultureInfo.InvariantCulture)) : null;
        return TypedResults.Ok(
            new StreamResponse(id, head.StreamType, head.Version, events, next)
        );
    }

    private static bool TryRead(string cursor, out long from)
    {
        from = 0;
        return Cursor.TryRead(cursor, 1, out var parts)
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out from)
            && from > 0;
    }

    private const string Example = """
        {
          "streamId": "0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77",
          "streamType": "inference",
          "version": 2,
          "data": [
            {
              "position": 4811,
              "version": 1,
              "type": "gateway.inference-started",
              "typeVersion": 1,
              "time": "2026-01-31T12:00:00.123456Z",
              "actor": "api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
              "correlation": "0199a4c27f0f7a1b9c2d3e4f5a6b7c8d",
              "data": { "wire": "openai.chat-completions", "model": "simulator", "request": { "model": "simulator", "messages": [] } },
              "leafHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            }
          ],
          "nextCursor": "Mg"
        }
        """;
}
