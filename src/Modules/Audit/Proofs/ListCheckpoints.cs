using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Proofs;

/// <summary>What the log said of itself at some moment, signed.</summary>
/// <param name="TreeSize">It covers all events up to this position.</param>
/// <param name="Time">When it was signed.</param>
/// <param name="RootHash">The root of the RFC 6962 tree over those events, in hexadecimal.</param>
/// <param name="Note">The signed note (C2SP tlog-checkpoint). Keep it outside: later proofs show that nothing before it has changed.</param>
public sealed record CheckpointResponse(long TreeSize, DateTime Time, string RootHash, string Note)
{
    internal static readonly CheckpointResponse Example = new(
        TreeSize: 4811,
        new DateTime(2026, 3, 1, 12, 30, 16, DateTimeKind.Utc),
        "5b0d0f4a7c1e3b8a9d6c2f4e8a7b1c3d5e9f0a2b4c6d8e0f1a3b5c7d9e1f2a4b",
        "example.com/verbatim\n4811\nWw0PSnweO4qdbC9OinscPV6fCitMbY4PGjtcfZ4fKks=\n\n— example.com/verbatim 8wQ3Xg…\n"
    );
}

internal sealed class ListCheckpoints : IEndpoint
{
    private static readonly HttpError InvalidCursor = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave; leave it out to begin at the first page."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/checkpoints", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("List checkpoints")
            .WithDescription(
                """
                The signed checkpoints of the log, newest first. There is one a second while events come. A checkpoint covers the events of every
                organization, but tells only how many there are. With `limit=1` you have the newest.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<CheckpointResponse>([CheckpointResponse.Example], NextCursor: null)
            )
            .ProducesError(400, InvalidCursor.Code, InvalidCursor.Message);

    private static async Task<Results<Ok<Page<CheckpointResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        TreeReader tree,
        CancellationToken cancellationToken
    )
    {
        var below = long.MaxValue;
        if (
            page.Cursor is { } cursor
            && !(
                Cursor.TryRead(cursor, 1, out var parts)
                && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out below)
            )
        )
            return Problems.Create(InvalidCursor);

        var read = await tree.ReadCheckpointsAsync(below, page.Rows + 1, cancellationToken);
        var rows = read.Take(page.Rows)
            .Select(c => new CheckpointResponse(c.TreeSize, c.Time, Convert.ToHexStringLower(c.RootHash), c.Note))
            .ToList();
        var next =
            read.Count > page.Rows ? Cursor.Write(rows[^1].TreeSize.ToString(CultureInfo.InvariantCulture)) : null;
        return TypedResults.Ok(new Page<CheckpointResponse>(rows, next));
    }
}
