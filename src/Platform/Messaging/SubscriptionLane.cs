using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Hands a lane's events to their handlers, in transactions that also move the lane's checkpoint, for as long as the lease lasts.
/// </summary>
/// <remarks>
/// The checkpoint is moved and the transaction committed by one message to the server, so an instance that stops in the middle of it,
/// frozen for instance, does not keep the lane locked against its successor.
/// </remarks>
internal sealed partial class SubscriptionLane(
    SubscriptionContext context,
    Subscription subscription,
    long epoch,
    int lane,
    int lanes
)
{
    // How often a checkpoint is moved over positions that hold nothing for this lane.
    private static readonly TimeSpan IdleMoveInterval = TimeSpan.FromMilliseconds(250);

    private readonly ILogger<SubscriptionRunner> _logger = context.Logger;
    private readonly SubscriptionContext _context = context;
    private readonly Subscription _subscription = subscription;
    private readonly int _lane = lane;
    private readonly int _lanes = lanes;
    private readonly HashSet<StreamKey> _blocked = [];
    private NpgsqlConnection? _connection;
    private long _position = -1;
    private long _movedAt;
    private Failing? _failing;

    // Events up to here are handled one by one, since nobody knows which of them made a commit fail.
    private long _aloneUpTo;
    private int _handling = -1;
    private volatile bool _hasDecided;

    /// <summary>The event that the handler fails at.</summary>
    private sealed record Failing(long Position, int Attempts, DateTimeOffset Since);

    /// <summary>Somebody has decided about dead letters; the lane carries it out soon.</summary>
    public void LookAtDecided() => _hasDecided = true;

    /// <summary>Handles events until it is cancelled, or all up to the target.</summary>
    /// <exception cref="LeaseLostException">Another instance has taken over.</exception>
    public async Task RunAsync(long? target, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var batches = Channel.CreateBounded<LaneBatch>(
            new BoundedChannelOptions(2) { SingleReader = true, SingleWriter = true }
        );
        var reading = Task.CompletedTask;
        try
        {
            await PersistAsync(_ => Task.CompletedTask, cancellationToken);
            reading = new LaneReader(_context, _subscription, _lane, _lanes).RunAsync(
                _position,
                target,
                batches.Writer,
                stop.Token
            );
            var isLast = false;
            while (!isLast && await NextAsync(batches.Reader, reading, cancellationToken) is { } batch)
            {
                isLast = batch.UpTo == target;
                await PersistAsync(token => AdvanceAsync(batch, isLast, token), cancellationToken);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await DisconnectAsync();
        }
    }

    private static async Task<LaneBatch?> NextAsync(
        ChannelReader<LaneBatch> batches,
        Task reading,
        CancellationToken cancellationToken
    )
    {
        if (batches.TryRead(out var ready))
            return ready;
        // A reader that ends in an error would leave the lane waiting for ever.
        var waiting = batches.WaitToReadAsync(cancellationToken).AsTask();
        if (await Task.WhenAny(waiting, reading) == reading && !reading.IsCompletedSuccessfully)
            await reading;
        return await waiting && batches.TryRead(out var batch) ? batch : null;
    }

    // Again and again, for as long as the lease lasts: what fails in here is no event's fault.
    private async Task PersistAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                await ConnectAsync(cancellationToken);
                await work(cancellationToken);
                return;
            }
            catch (Exception e) when (e is not LeaseLostException && !cancellationToken.IsCancellationRequested)
            {
                if (e is not PostgresException { SqlState: Failure.LeaseLost })
                    LogInterrupted(e, _subscription.Name, _lane);
                await DisconnectAsync();
                await Task.Delay(Backoff.After(failures), _context.Time, cancellationToken);
            }
        }
    }

    private async Task AdvanceAsync(LaneBatch batch, bool isLast, CancellationToken cancellationToken)
    {
        if (_hasDecided)
        {
            _hasDecided = false;
            await new DeadLetterDrain(this).RunAsync(cancellationToken);
        }

        var events = batch.Events;
        var start = 0;
        while (start < events.Count)
        {
            if (events[start].Position <= _position)
            {
                start++;
                continue;
            }
            if (IsHandledAlone(events[start]))
            {
                await HandleAloneAsync(events[start], cancellationToken);
                start++;
                continue;
            }
            var end = start + 1;
            while (end < events.Count && !IsHandledAlone(events[end]))
                end++;
            try
            {
                var upTo = end == events.Count ? batch.UpTo : events[end - 1].Position;
                await HandleAsync(events, start, end, upTo, cancellationToken);
                start = end;
            }
            catch (Exception e) when (IsOfAHandler(e, cancellationToken))
            {
                // What comes before the culprit is done then, and not done again.
                if (_handling >= 0)
                    _failing = new Failing(events[_handling].Position, 0, _context.Time.GetUtcNow());
                else
                    _aloneUpTo = events[end - 1].Position;
                LogFailed(e, _subscription.Name, _handling >= 0 ? events[_handling].Position : events[start].Position);
            }
        }
        if (
            batch.UpTo > _position
            && (events.Count > 0 || isLast || _context.Time.GetElapsedTime(_movedAt) >= IdleMoveInterval)
        )
            await HandleAsync([], 0, 0, batch.UpTo, cancellationToken);
    }

    private bool IsHandledAlone(RecordedEvent recorded) =>
        recorded.Position <= _aloneUpTo || recorded.Position == _failing?.Position;

    // Until it is done, or a dead letter.
    private async Task HandleAloneAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        while (true)
        {
            int attempts;
            try
            {
                await HandleAsync([recorded], 0, 1, recorded.Position, cancellationToken);
                return;
            }
            catch (Exception e) when (IsOfAHandler(e, cancellationToken))
            {
                var before = _failing?.Position == recorded.Position ? _failing : null;
                attempts = (before?.Attempts ?? 0) + 1;
                _failing = new Failing(recorded.Position, attempts, before?.Since ?? _context.Time.GetUtcNow());
                var isOver = attempts >= _subscription.MaxAttempts || Failure.IsUnreadable(e);
                LogAttempt(e, _subscription.Name, recorded.Position, attempts, isOver);
                if (isOver)
                {
                    await BuryAsync(recorded, Failure.Reason(e), cancellationToken);
                    return;
                }
                await RecordFailureAsync(Failure.Reason(e), cancellationToken);
            }
            await Task.Delay(Backoff.After(attempts), _context.Time, cancellationToken);
        }
    }

    // One transaction: the handlers of some events, and the checkpoint.
    private async Task HandleAsync(
        IReadOnlyList<RecordedEvent> events,
        int start,
        int end,
        long upTo,
        CancellationToken cancellationToken
    )
    {
        _handling = -1;
        var connection = await ConnectAsync(cancellationToken);
        if (upTo <= _position || (start < end && events[start].Position <= _position))
            throw new OutOfStepException();
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        List<RecordedEvent>? parked = null;
        if (start < end)
        {
            await using var scope = _context.Services.CreateAsyncScope();
            var together = new MessageBatches();
            try
            {
                for (_handling = start; _handling < end; _handling++)
                {
                    var recorded = events[_handling];
                    if (_blocked.Count > 0 && _blocked.Contains(new StreamKey(recorded.TenantId, recorded.StreamId)))
                        (parked ??= []).Add(recorded);
                    else
                        await CallAsync(recorded, transaction, together, scope.ServiceProvider, cancellationToken);
                }
                _handling = -1;
                await together.WriteAsync(transaction, cancellationToken);
            }
            catch (Exception e) when (connection.FullState == System.Data.ConnectionState.Broken)
            {
                // Whatever the handler made of it: the connection broke under it.
                throw new OutOfStepException(e);
            }
        }
        _handling = -1;
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var recorded in parked ?? [])
            AddLetter(batch, recorded, "parked", reason: null, attempts: 0, since: null);
        await CommitAsync(batch, upTo);
    }

    private async Task CallAsync(
        RecordedEvent recorded,
        NpgsqlTransaction transaction,
        MessageBatches together,
        IServiceProvider services,
        CancellationToken cancellationToken
    )
    {
        var @event = await ReadEventAsync(recorded, cancellationToken);
        var message = new Message(recorded, transaction) { Table = _subscription.Table ?? "", Batches = together };
        await _subscription.HandleAsync(@event, message, services, cancellationToken);
    }

    private async ValueTask<IEvent> ReadEventAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _context.Events.ReadAsync(recorded, cancellationToken);
        }
        catch (Exception e) when (e is UnknownEventException or JsonException or NotSupportedException)
        {
            throw new UnreadableException(e);
        }
    }

    // Moves the checkpoint and commits, in one message: no instance can stop in between.
    private async Task CommitAsync(NpgsqlBatch batch, long upTo)
    {
        if (_failing is { Attempts: > 0 } failing && upTo >= failing.Position)
            batch
                .Add(
                    """
                    update platform.subscription_lanes
                    set failing_position = null, failed_attempts = 0, failing_since = null, failed_at = null, failure = null
                    where name = $1 and lane = $2 and epoch = $3
                    """
                )
                .With(_subscription.Name)
                .With(_lane)
                .With(epoch);
        batch
            .Add("select platform.move_checkpoint($1, $2, $3, $4, $5)")
            .With(_subscription.Name)
            .With(_lane)
            .With(epoch)
            .With(_position)
            .With(upTo);
        batch.Add("commit");
        try
        {
            // Not cancelled: what came of it would not be known.
            await batch.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is not PostgresException)
        {
            // It may have been committed: the checkpoint will tell.
            throw new OutOfStepException(e);
        }
        _position = upTo;
        _movedAt = _context.Time.GetTimestamp();
        if (_failing is not null && upTo >= _failing.Position)
            _failing = null;
    }

    private async Task BuryAsync(RecordedEvent recorded, string reason, CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        AddLetter(batch, recorded, "waiting", reason, _failing!.Attempts, _failing.Since);
        await CommitAsync(batch, recorded.Position);
        _blocked.Add(new StreamKey(recorded.TenantId, recorded.StreamId));
        _context.Meters.DeadLetters.Add(1, MessagingMeters.Tag("subscription", _subscription.Name));
        LogBuried(_subscription.Name, recorded.Position, reason);
    }

    private void AddLetter(
        NpgsqlBatch batch,
        RecordedEvent recorded,
        string status,
        string? reason,
        int attempts,
        DateTimeOffset? since
    ) =>
        batch
            .Add(
                """
                insert into platform.dead_letters (tenant_id, id, subscription, stream_id, stream_type, position, type, status,
                    reason, attempts, first_failed_at, last_failed_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text, $10, $11::timestamptz, case when $10 > 0 then clock_timestamp() end)
                """
            )
            .With(recorded.TenantId)
            .With(_context.Ids.New())
            .With(_subscription.Name)
            .With(recorded.StreamId)
            .With(recorded.StreamType)
            .With(recorded.Position)
            .With(recorded.Type)
            .With(status)
            .With(reason)
            .With(attempts)
            .With(since?.UtcDateTime);

    // So that a successor goes on counting, and whoever looks sees why nothing moves.
    private async Task RecordFailureAsync(string reason, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            update platform.subscription_lanes
            set failing_position = $4, failed_attempts = $5, failing_since = $6, failed_at = clock_timestamp(), failure = $7
            where name = $1 and lane = $2 and epoch = $3
            """,
            await ConnectAsync(cancellationToken)
        );
        command.With(_subscription.Name).With(_lane).With(epoch).With(_failing!.Position).With(_failing.Attempts);
        command.With(_failing.Since.UtcDateTime).With(reason);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            throw new LeaseLostException(_subscription.Name);
    }

    // The session that the lane had before, if any, is ended first: it may still be open on the server, with rows locked.
    private async ValueTask<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_connection is { FullState: System.Data.ConnectionState.Open })
            return _connection;
        await DisconnectAsync();
        _connection = await _context.Database.Dedicated.OpenConnectionAsync(cancellationToken);
        await using (
            var end = new NpgsqlCommand(
                """
                select pg_terminate_backend(a.pid, 2000) from platform.subscription_lanes l
                join pg_stat_activity a on a.pid = l.session_pid and a.backend_start = l.session_start
                where l.name = $1 and l.lane = $2 and l.epoch = $3 and a.pid <> pg_backend_pid()
                """,
                _connection
            )
        )
            await end.With(_subscription.Name).With(_lane).With(epoch).ExecuteNonQueryAsync(cancellationToken);

        await using var batch = new NpgsqlBatch(_connection);
        batch
            .Add(
                """
                update platform.subscription_lanes set session_pid = pg_backend_pid(),
                    session_start = (select backend_start from pg_stat_activity where pid = pg_backend_pid())
                where name = $1 and lane = $2 and epoch = $3
                returning failing_position, failed_attempts, failing_since
                """
            )
            .With(_subscription.Name)
            .With(_lane)
            .With(epoch);
        batch
            .Add(
                "select position from platform.subscription_checkpoints where name = $1 and lane = $2 order by position desc limit 1"
            )
            .With(_subscription.Name)
            .With(_lane);
        batch
            .Add(
                """
                select distinct tenant_id, stream_id from platform.dead_letters
                where subscription = $1 and status in ('waiting', 'retrying', 'discarding', 'parked')
                    and platform.lane_of(tenant_id, stream_id, $2) = $3
                """
            )
            .With(_subscription.Name)
            .With(_lanes)
            .With(_lane);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new LeaseLostException(_subscription.Name);
        if (!await reader.IsDBNullAsync(0, cancellationToken))
            _failing = new Failing(
                reader.GetInt64(0),
                reader.GetInt32(1),
                await reader.GetFieldValueAsync<DateTimeOffset>(2, cancellationToken)
            );
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        _position = reader.GetInt64(0);
        await reader.NextResultAsync(cancellationToken);
        _blocked.Clear();
        while (await reader.ReadAsync(cancellationToken))
            _blocked.Add(new StreamKey(reader.GetGuid(0), reader.GetGuid(1)));
        return _connection;
    }

    private async Task DisconnectAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
            await connection.DisposeAsync();
    }

    private static bool IsOfAHandler(Exception e, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && e is not LeaseLostException
        && !Failure.IsOutOfStep(e)
        && !Failure.IsOfTheDatabase(e);

    [LoggerMessage(LogLevel.Warning, "{Name} failed at position {Position}; it is tried again alone")]
    private partial void LogFailed(Exception exception, string name, long position);

    [LoggerMessage(LogLevel.Warning, "{Name} failed at position {Position}, attempt {Attempts} (the last: {IsOver})")]
    private partial void LogAttempt(Exception exception, string name, long position, int attempts, bool isOver);

    [LoggerMessage(
        LogLevel.Error,
        "The event at {Position} is a dead letter of {Name}, and its stream waits: {Reason}"
    )]
    private partial void LogBuried(string name, long position, string reason);

    [LoggerMessage(LogLevel.Warning, "{Name} (lane {Lane}) was interrupted; it goes on when the database is back")]
    private partial void LogInterrupted(Exception exception, string name, int lane);
}
