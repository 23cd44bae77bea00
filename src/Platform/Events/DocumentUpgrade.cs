using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>
/// Folds documents anew whose rows were written by a build that knew another shape of them, so that a property may be added to a document
/// without a word of SQL. Runs after the migrations and before anything reads a document.
/// </summary>
/// <remarks>
/// It takes as long as <c>./run rebuild</c>, and only at the first start of such a build. A change of <c>Evolve</c> alone is not seen; that
/// is what the command is for.
/// </remarks>
internal sealed partial class DocumentUpgrade(
    Database database,
    DocumentCatalog documents,
    DocumentRepair repair,
    TimeProvider time,
    ILogger<DocumentUpgrade> logger
)
{
    // Any fixed number that is not the migrator's.
    private const long LockId = 83_722_847;

    private readonly DocumentComparison _comparison = new(database, repair);
    private readonly ILogger<DocumentUpgrade> _logger = logger;

    /// <summary>Brings all rows to the shape that this build knows.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var shapes = documents
            .Shapes.Where(d => d.Snapshot == SnapshotKind.Inline)
            .Select(d => (Document: d, Text: HashOf(d)))
            .ToList();
        await using (var connection = await database.Writes.OpenConnectionAsync(cancellationToken))
        {
            if (await AreKnownAsync(connection, shapes, cancellationToken))
                return;
        }

        // Closed for good at the end, however that comes: the lock ends with it.
        await using var locked = await database.Dedicated.OpenConnectionAsync(cancellationToken);
        await using (var command = new NpgsqlCommand("select pg_advisory_lock($1)", locked) { CommandTimeout = 0 })
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockId });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        var known = await ReadKnownAsync(locked, cancellationToken);
        foreach (var (document, text) in shapes)
        {
            if (known.GetValueOrDefault(document.StreamType) == text)
                continue;
            await FoldAsync(document, cancellationToken);
            await RememberAsync(locked, document, text, cancellationToken);
        }
    }

    private async Task FoldAsync(DocumentShape document, CancellationToken cancellationToken)
    {
        var (_, differing) = await _comparison.CompareAsync(document, cancellationToken);
        if (differing.Count == 0)
            return;
        LogFolding(document.StreamType, differing.Count);
        await repair.RepairAsync(document, differing, cancellationToken);
    }

    private static string HashOf(DocumentShape document) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(document.DescribeRow())));

    private static async Task<bool> AreKnownAsync(
        NpgsqlConnection connection,
        List<(DocumentShape Document, string Text)> shapes,
        CancellationToken cancellationToken
    )
    {
        var known = await ReadKnownAsync(connection, cancellationToken);
        return shapes.TrueForAll(s => known.GetValueOrDefault(s.Document.StreamType) == s.Text);
    }

    private static async Task<Dictionary<string, string>> ReadKnownAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select stream_type, shape from platform.document_shapes",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            known.Add(reader.GetString(0), reader.GetString(1));
        return known;
    }

    private async Task RememberAsync(
        NpgsqlConnection connection,
        DocumentShape document,
        string text,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            insert into platform.document_shapes (stream_type, shape, folded_at) values ($1, $2, $3)
            on conflict (stream_type) do update set shape = excluded.shape, folded_at = excluded.folded_at
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = document.StreamType });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "Folding {Count} documents of type {StreamType} anew, from a build before")]
    private partial void LogFolding(string streamType, int count);
}
