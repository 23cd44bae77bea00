using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Where to begin in a stream.</summary>
public sealed record GetStreamRequest
{
    /// <summary>The first version that is wanted.</summary>
    [WholeNumber(1)]
    [Description("The first version that is wanted; 1 if left out. A cursor goes before it.")]
    public string? FromVersion { get; init; }

    /// <summary>What is sealed stays so.</summary>
    [Description(
        "`true` for the exact bytes of `data`, over which the leaf hash goes; otherwise what is sealed in it is opened for you to read."
    )]
    public bool? Sealed { get; init; }
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
)
{
    internal static readonly StreamResponse Example = new(
        Samples.StreamId,
        "inference",
        Version: 2,
        [EventResponse.Example],
        NextCursor: "Mg"
    );
}

/// <summary>An event as it stands in the log.</summary>
/// <param name="Position">Its place in the log of all events.</param>
/// <param name="Version">Its place in the stream, 1 for the first.</param>
/// <param name="Type">What happened, for instance <c>gateway.inference-started</c>.</param>
/// <param name="TypeVersion">The version of the shape of <c>data</c>.</param>
/// <param name="Time">When it was recorded.</param>
/// <param name="Actor">Who caused it: <c>user:…</c>, <c>api-key:…</c> or <c>system:…</c>.</param>
/// <param name="Correlation">The <c>x-request-id</c> of the request that caused it; empty if none did.</param>
/// <param name="Data">
/// What happened, as the JSON text that is stored, white space and order included. Personal data is sealed in the store and opened here,
/// unless <c>sealed</c> was asked for; of a person who was erased it reads <c>[erased]</c>.
/// </param>
/// <param name="LeafHash">The RFC 6962 leaf hash of the event as it is stored, in hexadecimal.</param>
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
    internal static readonly EventResponse Example = new(
        Position: 4811,
        Version: 1,
        "gateway.inference-started",
        TypeVersion: 1,
        Samples.BeganAt,
        Samples.Actor,
        "0199a4c27f0f7a1b9c2d3e4f5a6b7c8d",
        new RawJson(
            """{"wire":"openai.chat-completions","model":"simulator","request":{"model":"simulator","messages":[]}}"""u8.ToArray()
        ),
        "5b0d0f4a7c1e3b8a9d6c2f4e8a7b1c3d5e9f0a2b4c6d8e0f1a3b5c7d9e1f2a4b"
    );

    internal static EventResponse From(RecordedEvent recorded, ReadOnlyMemory<byte> data) =>
        new(
            recorded.Position,
            recorded.Version,
            recorded.Type,
            recorded.TypeVersion,
            recorded.Time.UtcDateTime,
            recorded.Actor,
            recorded.Correlation,
            new RawJson(data),
            Convert.ToHexStringLower(recorded.LeafHash.Span)
        );
}

internal sealed class GetStream : IEndpoint
{
    private static readonly HttpError InvalidCursor = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave; leave it out to begin at the first page."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/streams/{id:guid}", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Read the events of a stream")
            .WithDescription(
                """
                Every event of a stream of your organization, in order. What is sealed in its data is opened, unless you
                ask for the exact bytes with `sealed=true`.
                The `ETag` is the stream's version. A page ends early when its data comes to 8 MB.
                """
            )
            .WithResponseExample(StatusCodes.Status200OK, StreamResponse.Example)
            .WithResponseHeader("ETag", "The stream's version.")
            .ProducesError(400, InvalidCursor.Code, InvalidCursor.Message)
            .ProducesError(404, StreamErrors.NotFound.Code, StreamErrors.NotFound.Message);

    private static async Task<Results<Ok<StreamResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The stream.")] Guid id,
        [AsParameters] GetStreamRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        StreamHistory streams,
        EventReader reader,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        var from = WholeNumberAttribute.TryParse(request.FromVersion, out var version) ? version : 1;
        if (page.Cursor is { } cursor && !TryRead(cursor, out from))
            return Problems.Create(InvalidCursor);

        if (await streams.FindAsync(caller.TenantId, id, cancellationToken) is not { } head)
            return Problems.Create(StreamErrors.NotFound);

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
            {
                var data = request.Sealed is true ? recorded.Data : await reader.OpenAsync(recorded, cancellationToken);
                events.Add(EventResponse.From(recorded, data));
            }
        }

        response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{head.Version}\"");
        var next = to < head.Version ? Cursor.Write((to + 1).ToString(CultureInfo.InvariantCulture)) : null;
        return TypedResults.Ok(new StreamResponse(id, head.StreamType, head.Version, events, next));
    }

    private static bool TryRead(string cursor, out long from)
    {
        from = 0;
        return Cursor.TryRead(cursor, 1, out var parts)
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out from)
            && from > 0;
    }
}
