using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Gateway.Files;
using Verbatim.Modules.Gateway.Responses;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>
/// Says that this instance lives and where its open intents begin, and looks for instances that ended: their open intents get
/// <see cref="InferenceOutcomeLost"/>, and their uploads <see cref="FileUploadLost"/>, so that none stays "started" for ever. It runs once before the first request, then every second.
/// </summary>
internal sealed partial class InstanceRegister(
    Database database,
    EventStore events,
    InferenceJournal journal,
    LostUploads uploads,
    TimeProvider time,
    ILogger<InstanceRegister> logger
) : BackgroundService, IStartupStep
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(1);

    // A lock that is free while the heartbeat is younger may only mean that a connection broke.
    private static readonly TimeSpan SilentFor = TimeSpan.FromSeconds(5);

    private readonly ILogger<InstanceRegister> _logger = logger;
    private readonly long _lockKey = BitConverter.ToInt64(journal.Instance.ToByteArray(), 8);
    private NpgsqlConnection? _connection;

    // After the schema and the keys, before anything is served.
    public int Order => 10;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await BeatAsync(cancellationToken);
        // A private server is this host's alone (its folder is locked), so every other instance on it has ended.
        await FindLostAsync(database.IsPrivate ? TimeSpan.Zero : SilentFor, cancellationToken);
        // From before it was known who sends an upload: where nobody else can be at it, it has ended.
        if (database.IsPrivate)
            await uploads.CloseAsync(Guid.Empty, cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_connection is null)
            return;
        // The web server has stopped before this, so nothing new begins. What is still open is for another instance, or the next start, to close.
        if (journal.HasNoneOpen)
            await TryForgetAsync(cancellationToken);
        await DropConnectionAsync();
    }

    private async Task TryForgetAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await uploads.AreOpenAsync(journal.Instance, cancellationToken))
                return;
            // Another connection: the beat that was given up may still hold the one.
            await using var connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
            await ForgetAsync(connection, journal.Instance, cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogMissedBeat(e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(HeartbeatInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await BeatAsync(stoppingToken);
                await FindLostAsync(SilentFor, stoppingToken);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
            {
                LogMissedBeat(e.Message);
                await DropConnectionAsync();
            }
        }
    }

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        if (_connection is null)
        {
            // The lock lives as long as this session: Postgres frees it when the process ends, however it ends.
            _connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
            if (!await TryLockAsync(_lockKey, cancellationToken))
                throw new NpgsqlException("A connection of this instance that is lost still holds its lock.");
        }
        // By this connection: the pool may have none for a while, and whoever misses a beat for that is taken for dead.
        await using var read = Command("select coalesce(max(position), 0) from platform.events");
        var head = (long)(await read.ExecuteScalarAsync(cancellationToken))!;
        await using var beat = Command(
            """
            insert into gateway.instances (id, lock_key, open_behind) values ($1, $2, $3)
            on conflict (id) do update set heartbeat_at = now(), open_behind = excluded.open_behind
            """
        );
        beat.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = journal.Instance });
        beat.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _lockKey });
        beat.Parameters.Add(new NpgsqlParameter<long> { TypedValue = journal.OpenBehind(head) });
        await beat.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task FindLostAsync(TimeSpan silentFor, CancellationToken cancellationToken)
    {
        foreach (var (instance, lockKey, openBehind) in await ReadSilentAsync(silentFor, cancellationToken))
        {
            if (!await TryLockAsync(lockKey, cancellationToken))
                continue;
            var lost = await CloseIntentsAsync(instance, openBehind, cancellationToken);
            lost += await uploads.CloseAsync(instance, cancellationToken);
            await ForgetAsync(_connection!, instance, cancellationToken);
            await using var unlock = Command("select pg_advisory_unlock($1)");
            unlock.Parameters.Add(new NpgsqlParameter<long> { TypedValue = lockKey });
            await unlock.ExecuteNonQueryAsync(cancellationToken);
            if (lost > 0)
                LogLost(instance, lost);
        }
    }

    private async Task<List<(Guid Instance, long LockKey, long OpenBehind)>> ReadSilentAsync(
        TimeSpan silentFor,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            "select id, lock_key, open_behind from gateway.instances where id <> $1 and heartbeat_at <= now() - $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = journal.Instance });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = silentFor });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var silent = new List<(Guid, long, long)>();
        while (await reader.ReadAsync(cancellationToken))
            silent.Add((reader.GetGuid(0), reader.GetInt64(1), reader.GetInt64(2)));
        return silent;
    }

    private async Task<bool> TryLockAsync(long lockKey, CancellationToken cancellationToken)
    {
        await using var command = Command("select pg_try_advisory_lock($1)");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = lockKey });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<int> CloseIntentsAsync(Guid instance, long openBehind, CancellationToken cancellationToken)
    {
        var lost = 0;
        foreach (var (tenantId, streamId) in await ReadOpenAsync(instance, openBehind, cancellationToken))
        {
            var result = await events.AppendAsync(
                new AppendContext(tenantId, "system:recovery", "") { Also = BackgroundRow.Lose(tenantId, streamId) },
                new StreamEvents("inference", streamId, 1, [new InferenceOutcomeLost(instance)]),
                cancellationToken
            );
            // A conflict means that somebody else has closed it.
            if (result.Conflict is null)
                lost++;
        }
        return lost;
    }

    private async Task<List<(Guid TenantId, Guid StreamId)>> ReadOpenAsync(
        Guid instance,
        long openBehind,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            """
            select s.tenant_id, s.stream_id, s.data from platform.events s
            where s.position > $1 and s.type = 'gateway.inference-started'
                and not exists (
                    select 1 from platform.events o
                    where o.tenant_id = s.tenant_id and o.stream_id = s.stream_id and o.version = 2)
            order by s.position
            """
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = openBehind });
        // Behind a call that ran for an hour lies an hour of the log. A start must not fail because that takes a while to read.
        command.CommandTimeout = (int)TimeSpan.FromMinutes(10).TotalSeconds;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var open = new List<(Guid, Guid)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            // Whose intent it is is asked here and not in SQL: Postgres's json operators refuse a body that has \u0000 in it.
            var intent = JsonSerializer.Deserialize<InferenceStarted>(
                reader.GetFieldValue<byte[]>(2),
                events.Catalog.Json
            );
            if (intent?.Instance == instance)
                open.Add((reader.GetGuid(0), reader.GetGuid(1)));
        }
        return open;
    }

    private static async Task ForgetAsync(
        NpgsqlConnection connection,
        Guid instance,
        CancellationToken cancellationToken
    )
    {
        await using var forget = new NpgsqlCommand("delete from gateway.instances where id = $1", connection);
        forget.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = instance });
        await forget.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task DropConnectionAsync()
    {
        try
        {
            if (_connection is not null)
                await _connection.DisposeAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A command that was given up may hold it.
            LogMissedBeat(e.Message);
        }
        _connection = null;
    }

    private NpgsqlCommand Command(string sql) => new(sql, _connection);

    [LoggerMessage(
        LogLevel.Warning,
        "Instance {Instance} ended and left {Count} calls or uploads without an outcome; they are recorded as unknown"
    )]
    private partial void LogLost(Guid instance, int count);

    [LoggerMessage(LogLevel.Warning, "This instance could not say that it lives ({Reason}); trying again")]
    private partial void LogMissedBeat(string reason);
}
