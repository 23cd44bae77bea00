using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.PersonalData;

/// <summary>A person of whom something is sealed.</summary>
/// <param name="Id">The person.</param>
/// <param name="CreatedAt">When something of theirs was first recorded.</param>
/// <param name="ErasedAt">When their key was destroyed, or null.</param>
public sealed record Subject(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset? ErasedAt);

/// <summary>How much an erasure touched of one kind.</summary>
/// <param name="Name">A document's stream type, or the name of a step.</param>
/// <param name="Count">Rows.</param>
public sealed record ErasedRows(string Name, long Count);

/// <summary>The persons whose data is sealed, and how they are erased.</summary>
public sealed class Subjects
{
    /// <summary>The SQLSTATE of <see cref="DestroyKey"/> when there is no key, or none any more.</summary>
    public const string NoKey = "VB005";

    private readonly Database _database;
    private readonly SubjectKeys _keys;
    private readonly DocumentCatalog _documents;
    private readonly DocumentRepair _repair;
    private readonly IEnumerable<IErasureStep> _steps;
    private readonly TimeProvider _time;

    internal Subjects(
        Database database,
        SubjectKeys keys,
        DocumentCatalog documents,
        DocumentRepair repair,
        IEnumerable<IErasureStep> steps,
        TimeProvider time
    )
    {
        _database = database;
        _keys = keys;
        _documents = documents;
        _repair = repair;
        _steps = steps;
        _time = time;
    }

    /// <summary>What is known of a person, or null when nothing of theirs was ever recorded in this organization.</summary>
    public async Task<Subject?> FindAsync(Guid tenantId, Guid subjectId, CancellationToken cancellationToken)
    {
        // Days have keys beside persons, but nobody erases one as if it were a person: today's least of all.
        if (PersonalDays.IsDay(subjectId))
            return null;
        await using var command = _database.Writes.CreateCommand(
            "select created_at, erased_at from platform.subject_keys where tenant_id = $1 and subject_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new Subject(
                subjectId,
                new DateTimeOffset(reader.GetDateTime(0), TimeSpan.Zero),
                reader.IsDBNull(1) ? null : new DateTimeOffset(reader.GetDateTime(1), TimeSpan.Zero)
            )
            : null;
    }

    /// <summary>
    /// The statement that destroys a person's key, for the transaction of the <see cref="SubjectErased"/> that says so. From its commit on
    /// nobody can open what is sealed for them, whatever fails afterwards.
    /// </summary>
    public SqlWrite DestroyKey(Guid tenantId, Guid subjectId) =>
        new("select platform.destroy_subject_key($1, $2, $3)", tenantId, subjectId, _time.GetUtcNow().UtcDateTime);

    /// <summary>
    /// Removes what is left of a person whose key is gone: rebuilds the documents that something of theirs was sealed in, and runs every
    /// <see cref="IErasureStep"/>. May run several times.
    /// </summary>
    /// <returns>What was touched, by name.</returns>
    public async Task<IReadOnlyList<ErasedRows>> SweepAsync(
        AppendContext context,
        Guid subjectId,
        CancellationToken cancellationToken
    )
    {
        _keys.Forget(context.TenantId, subjectId);
        // Until then another instance may still write rows with the key that is gone.
        if (!_database.IsPrivate)
            await Task.Delay(LogTail.Deadline, _time, cancellationToken);

        var touched = new List<ErasedRows>();
        foreach (
            var document in _documents
                .Shapes.Where(d => d is { Snapshot: SnapshotKind.Inline, HasPersonalData: true })
                .OrderBy(d => d.StreamType, StringComparer.Ordinal)
        )
        {
            var rows = await FindRowsAsync(document, context.TenantId, subjectId, cancellationToken);
            if (rows.Count > 0)
                await _repair.RepairAsync(document, rows, cancellationToken);
            touched.Add(new ErasedRows($"documents:{document.StreamType}", rows.Count));
        }
        foreach (var step in _steps.OrderBy(s => s.Name, StringComparer.Ordinal))
            touched.Add(new ErasedRows(step.Name, await step.EraseAsync(context, subjectId, cancellationToken)));
        return touched;
    }

    // Erasing is rare, so no index is kept for it: a sealed value names its person, and the rows of one organization are looked through.
    private async Task<List<StreamKey>> FindRowsAsync(
        DocumentShape document,
        Guid tenantId,
        Guid subjectId,
        CancellationToken cancellationToken
    )
    {
        await using var command = _database.Writes.CreateCommand(
            $"select id from {document.Table} where tenant_id = $1 and position($2 in data::text) > 0"
        );
        command.CommandTimeout = 0;
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"\"of\":\"{subjectId}\"" });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<StreamKey>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(new StreamKey(tenantId, reader.GetGuid(0)));
        return rows;
    }
}
