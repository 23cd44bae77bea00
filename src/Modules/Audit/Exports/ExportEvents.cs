using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Verbatim.Contracts;
using Verbatim.Modules.Audit.Proofs;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>Which events of your organization to export: those to which all filters apply.</summary>
public sealed record ExportEventsRequest : IValidatableObject
{
    private const int MaxTypes = 50;

    /// <summary>The begin of the window, itself in it.</summary>
    [Instant]
    [Description("Only events recorded at this instant or later (RFC 3339).")]
    public string? From { get; init; }

    /// <summary>The end of the window, itself not in it.</summary>
    [Instant]
    [Description("Only events recorded before this instant (RFC 3339).")]
    public string? To { get; init; }

    /// <summary>Event types.</summary>
    [Description(
        "Only events of this type, for instance `gateway.inference-started`; give it several times for several."
    )]
    public string[]? Type { get; init; }

    /// <summary>The type of stream.</summary>
    [StringLength(50, MinimumLength = 1)]
    [Description("Only events of streams of this type, for instance `inference`.")]
    public string? StreamType { get; init; }

    /// <summary>One stream.</summary>
    [StreamId]
    [Description("Only events of this stream.")]
    public string? StreamId { get; init; }

    /// <summary>Where to go on.</summary>
    [WholeNumber(0)]
    [Description(
        "Only events behind this position: the `end` of an export, or the last position of one that was interrupted."
    )]
    public string? After { get; init; }

    /// <summary>The most events.</summary>
    [WholeNumber(1)]
    [Description("At most so many events; the last line then says whether there are more.")]
    public string? Limit { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Instant.TryParse(From, out var from) && Instant.TryParse(To, out var to) && from.Ceiling >= to.Ceiling)
            yield return new ValidationResult("Give an instant after 'from'.", [nameof(To)]);
        if (Type is { Length: > MaxTypes })
            yield return new ValidationResult($"Give at most {MaxTypes} types.", [nameof(Type)]);
    }

    internal ExportedEvents ToEvents() =>
        new(
            Type is { Length: > 0 } ? Type : null,
            StreamType,
            Guid.TryParse(StreamId, out var streamId) ? streamId : null,
            Instant.TryParse(From, out var from) ? from.Ceiling : null,
            Instant.TryParse(To, out var to) ? to.Ceiling : null,
            WholeNumberAttribute.TryParse(Limit, out var limit) ? limit : null
        );
}

/// <summary>A query parameter that is the whole id of a stream.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class StreamIdAttribute : QueryTextAttribute
{
    public override bool IsValid(object? value) => value is null || Guid.TryParseExact(value as string, "D", out _);

    public override string FormatErrorMessage(string name) =>
        "Give the whole id of a stream, for instance 0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77.";

    public override void Describe(OpenApiSchema schema)
    {
        schema.Type = JsonSchemaType.String;
        schema.Format = "uuid";
    }
}

internal sealed class ExportEvents : IEndpoint
{
    public const string ContentType = "application/x-ndjson";
    public const string ExportIdHeader = "x-verbatim-export-id";

    private const string Gzip = "gzip";

    private const string Example = """
        {"format":"verbatim-selection/1","checkpoint":"example.com/verbatim\n4811\nWw0PSnweO4qdbC9OinscPV6fCitMbY4PGjtcfZ4fKks=\n\n— example.com/verbatim 8wQ3Xg…\n"}
        {"position":7,"tenantId":"0199a4b0-0d1e-7c2f-8a3b-4c5d6e7f8a9b","streamId":"0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77","streamType":"inference","version":1,"type":"gateway.inference-started","typeVersion":1,"time":"2026-03-02T09:30:00.123456Z","actor":"api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b","correlation":"0199a4c27f0f7a1b9c2d3e4f5a6b7c8d","data":"{\"wire\":\"openai.chat-completions\",\"model\":\"simulator\"}","leafHash":"5b0d0f4a7c1e3b8a9d6c2f4e8a7b1c3d5e9f0a2b4c6d8e0f1a3b5c7d9e1f2a4b","proof":"Aph…"}
        {"end":4811,"events":1,"hasMore":false}

        """;

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/export", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Export events with their proofs")
            .WithDescription(
                """
                The events of your organization to which all filters apply, in the order of the log, one JSON object a line: each with its exact
                bytes, its leaf hash, and the proof that it is in the tree of the signed checkpoint that the first line holds. `./verify` checks
                the file without this server.

                The last line tells the `end`: go on with `after=<end>`. When a download was interrupted, go on with `after=<last position>`. With
                `Accept-Encoding: gzip` the answer is compressed. An export shows what the newest checkpoint covers; what is newer is in the next
                one, a second later.

                Each export is itself an event, `audit.export-started`, recorded before the first byte leaves.
                """
            )
            .Produces<string>(StatusCodes.Status200OK, ContentType)
            .WithResponseExample(StatusCodes.Status200OK, Example, ContentType)
            .WithResponseHeader(ExportIdHeader, "The stream of the event that records this export.")
            .ProducesError(
                400,
                ExportErrors.UnknownType("a.b").Code,
                ExportErrors.UnknownType("gateway.inference-stated").Message
            )
            .ProducesError(404, StreamErrors.NotFound.Code, StreamErrors.NotFound.Message)
            .ProducesError(404, ProofErrors.TreeTooSmall(8).Code, ProofErrors.TreeTooSmall(8).Message)
            .ProducesError(503, ExportErrors.NothingSigned.Code, ExportErrors.NothingSigned.Message);

    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> HandleAsync(
        [AsParameters] ExportEventsRequest request,
        Caller caller,
        HttpContext http,
        EventStore store,
        SelectionExport export,
        StreamHistory streams,
        IdSource ids,
        CancellationToken cancellationToken
    )
    {
        var chosen = request.ToEvents();
        var known = store.Catalog.Shapes.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        if (chosen.Types?.FirstOrDefault(type => !known.Contains(type)) is { } unknown)
            return Problems.Create(ExportErrors.UnknownType(unknown));
        if (
            chosen.StreamId is { } streamId
            && await streams.FindAsync(caller.TenantId, streamId, cancellationToken) is null
        )
            return Problems.Create(StreamErrors.NotFound);
        if (await export.FindCheckpointAsync(cancellationToken) is not { } checkpoint)
        {
            http.Response.Headers.RetryAfter = "1";
            return Problems.Create(ExportErrors.NothingSigned);
        }
        var after = WholeNumberAttribute.TryParse(request.After, out var given) ? given : 0;
        if (after > checkpoint.TreeSize)
            return Problems.Create(ProofErrors.TreeTooSmall(checkpoint.TreeSize));

        var exportId = ids.New();
        var recorded = await store.AppendAsync(
            caller.For(http),
            new StreamEvents("export", exportId, 0, [new ExportStarted(checkpoint.TreeSize, after, chosen)]),
            cancellationToken
        );
        if (recorded.Conflict is not null)
            throw new InvalidOperationException($"The export {exportId} is on record already.");

        await WriteAsync(http, exportId, checkpoint, chosen, caller.TenantId, after, export);
        return TypedResults.Empty;
    }

    private static async Task WriteAsync(
        HttpContext http,
        Guid exportId,
        StoredCheckpoint checkpoint,
        ExportedEvents chosen,
        Guid tenantId,
        long after,
        SelectionExport export
    )
    {
        var response = http.Response;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        response.Headers[ExportIdHeader] = exportId.ToString();
        var isCompressed = TakesGzip(http.Request);
        if (isCompressed)
            response.Headers.ContentEncoding = Gzip;
        try
        {
            await using var packed = isCompressed
                ? new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true)
                : null;
            var body = packed ?? response.Body;
            await export.WriteAsync(
                checkpoint,
                chosen,
                tenantId,
                after,
                async lines =>
                {
                    await body.WriteAsync(lines, http.RequestAborted);
                    await body.FlushAsync(http.RequestAborted);
                },
                http.RequestAborted
            );
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads any more: what was asked of the database has ended with it.
        }
    }

    // RFC 9110, section 12.5.3: the most exact entry counts, and a quality of 0 refuses.
    private static bool TakesGzip(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().AcceptEncoding;
        var entry =
            accepted.FirstOrDefault(e => e.Value.Equals(Gzip, StringComparison.OrdinalIgnoreCase))
            ?? accepted.FirstOrDefault(e => e.Value == "*");
        return entry is { Quality: not 0 };
    }
}
