using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// The keys of persons. Remembered, so that sealing costs no database read; forgotten as soon as this instance hears from the log that a
/// person was erased, whichever instance did it. What it seals until then with a key that is gone nobody can open: it is erased already.
/// So a key that may be stale still seals, for instance the outcome of a call while the database is away, but opens nothing.
/// </summary>
/// <param name="database">Where the keys are.</param>
/// <param name="masterKey">What they are wrapped by.</param>
/// <param name="time">Measures the patience.</param>
/// <param name="patience">How long the database may be away before a key that is not known cannot be had.</param>
internal sealed class SubjectKeys(Database database, MasterKey masterKey, TimeProvider time, TimeSpan patience)
    : ILogObserver
{
    // What bounds the memory; past it everything is forgotten and learnt again.
    private const int MaxRemembered = 100_000;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<Subject, Remembered> _remembered = new();

    // Grows with every forgetting: what was read before it may be stale and is not remembered.
    private long _generation;

    // Grows with every reset: what was remembered before it may be stale.
    private long _epoch;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Subject(Guid TenantId, Guid Id);

    private sealed record Remembered(SubjectKey Key, long Epoch);

    /// <summary>Grows whenever a key may have been destroyed, as far as this instance hears.</summary>
    public long Generation => Interlocked.Read(ref _generation);

    public IReadOnlyCollection<Type> EventTypes { get; } = [typeof(SubjectErased), typeof(DayErased)];

    /// <summary>The day, in UTC, that what is recorded now belongs to.</summary>
    public DateOnly Today => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    /// <summary>A key that is known to be there still, or null.</summary>
    public SubjectKey? Find(Guid tenantId, Guid subjectId) =>
        _remembered.TryGetValue(new Subject(tenantId, subjectId), out var known)
        && known.Epoch == Interlocked.Read(ref _epoch)
            ? known.Key
            : null;

    /// <summary>A key that was there when it was last heard of, or null. Good enough to seal with.</summary>
    public SubjectKey? FindForSealing(Guid tenantId, Guid subjectId) =>
        _remembered.TryGetValue(new Subject(tenantId, subjectId), out var known) ? known.Key : null;

    /// <summary>The keys of persons. Whoever has no row counts as erased: what is sealed for them cannot be opened.</summary>
    public async Task<IReadOnlyDictionary<Guid, SubjectKey>> LoadAsync(
        Guid tenantId,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Lookups.CreateCommand(SelectSql);
        AddSubjects(command.Parameters, tenantId, subjects);
        var keys = await ReadAsync(tenantId, command.ExecuteReaderAsync, cancellationToken);
        foreach (var subject in subjects)
            keys.TryAdd(subject, SubjectKey.Erased);
        return keys;
    }

    /// <summary>The keys of persons; whoever has none gets one.</summary>
    /// <exception cref="LogUnavailableException">The database did not come back in time.</exception>
    public async Task<IReadOnlyDictionary<Guid, SubjectKey>> EnsureAsync(
        Guid tenantId,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    )
    {
        // As patient as the log's writer: an append outlives a restart of the database.
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await TryEnsureAsync(tenantId, subjects, cancellationToken);
            }
            catch (NpgsqlException e) when (e.IsTransient)
            {
                if (time.GetElapsedTime(began) > patience)
                    throw new LogUnavailableException(
                        "Postgres cannot be asked for a person's key; nothing was stored.",
                        e
                    );
                await Task.Delay(RetryDelay, time, cancellationToken);
            }
        }
    }

    private async Task<IReadOnlyDictionary<Guid, SubjectKey>> TryEnsureAsync(
        Guid tenantId,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    )
    {
        // In one order, or two instances that meet the same persons at once could wait for each other.
        subjects = [.. subjects.Order()];
        await using var connection = await database.Lookups.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        var insert = new NpgsqlBatchCommand(
            """
            insert into platform.subject_keys (tenant_id, subject_id, sealed_key)
            select $1, s, k from unnest($2::uuid[], $3::bytea[]) as new(s, k)
            on conflict do nothing
            """
        );
        AddSubjects(insert.Parameters, tenantId, subjects);
        insert.Parameters.Add(
            new NpgsqlParameter<byte[][]>
            {
                TypedValue =
                [
                    .. subjects.Select(s =>
                        masterKey.Seal(RandomNumberGenerator.GetBytes(SubjectKey.Size), PurposeOf(tenantId, s))
                    ),
                ],
            }
        );
        batch.BatchCommands.Add(insert);
        // A statement of its own: it must see what another instance inserted while the one before it waited.
        var select = new NpgsqlBatchCommand(SelectSql);
        AddSubjects(select.Parameters, tenantId, subjects);
        batch.BatchCommands.Add(select);
        return await ReadAsync(tenantId, batch.ExecuteReaderAsync, cancellationToken);
    }

    public static string PurposeOf(Guid tenantId, Guid subjectId) => $"platform.subject-key:{tenantId}:{subjectId}";

    public void Forget(Guid tenantId, Guid subjectId)
    {
        Interlocked.Increment(ref _generation);
        _remembered.TryRemove(new Subject(tenantId, subjectId), out _);
    }

    public void Observe(RecordedEvent recorded, IEvent @event) =>
        Forget(
            recorded.TenantId,
            @event is DayErased erased ? PersonalDays.IdOf(erased.Day) : ((SubjectErased)@event).SubjectId
        );

    public void Reset()
    {
        Interlocked.Increment(ref _generation);
        Interlocked.Increment(ref _epoch);
    }

    private const string SelectSql = """
        select subject_id, sealed_key from platform.subject_keys where tenant_id = $1 and subject_id = any($2)
        """;

    private async Task<Dictionary<Guid, SubjectKey>> ReadAsync(
        Guid tenantId,
        Func<CancellationToken, Task<NpgsqlDataReader>> execute,
        CancellationToken cancellationToken
    )
    {
        var (generation, epoch) = (Interlocked.Read(ref _generation), Interlocked.Read(ref _epoch));
        await using var reader = await execute(cancellationToken);
        var keys = new Dictionary<Guid, SubjectKey>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var subject = reader.GetGuid(0);
            keys.Add(
                subject,
                reader.IsDBNull(1)
                    ? SubjectKey.Erased
                    : SubjectKey.Of(masterKey.Open(reader.GetFieldValue<byte[]>(1), PurposeOf(tenantId, subject)))
            );
        }
        if (_remembered.Count >= MaxRemembered)
            _remembered.Clear();
        foreach (var (subject, key) in keys)
            _remembered[new Subject(tenantId, subject)] = new Remembered(key, epoch);
        if (generation != Interlocked.Read(ref _generation))
        {
            foreach (var subject in keys.Keys)
                _remembered.TryRemove(new Subject(tenantId, subject), out _);
        }
        return keys;
    }

    private static void AddSubjects(
        NpgsqlParameterCollection parameters,
        Guid tenantId,
        IReadOnlyCollection<Guid> subjects
    )
    {
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. subjects] });
    }
}
