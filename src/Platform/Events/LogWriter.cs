using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Verbatim.Platform.Events;

/// <summary>
/// The one writer of this instance. Appends that arrive while a transaction is in flight form the next one (group commit): one
/// lock, one check of versions, one write of events, one of documents, one commit.
/// </summary>
/// <remarks>
/// It runs on a thread of its own with blocking calls: the way from a commit to the next batch then has no hop through the thread
/// pool, which measured faster than awaiting under load.
/// </remarks>
internal sealed partial class LogWriter : IAsyncDisposable
{
    private const int MaxEventsPerBatch = 4096;
    private const long MaxBytesPerBatch = 16 * 1024 * 1024;
    private const int KeptBufferSize = 4 * 1024 * 1024;
    private const int MaxWaiting = 50_000;

    private readonly Func<LogConnection> _connect;
    private readonly LogSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<LogWriter> _logger;
    private readonly TimeSpan _patience;
    private readonly Thread _thread;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Queue<PendingAppend> _waiting = new();
    private bool _stopping;

    // Only the writer's thread touches what follows.
    private readonly StreamHeads _heads = new();
    private readonly Dictionary<(Guid Tenant, Guid Stream), long> _overlay = [];
    private readonly HashSet<(Guid Tenant, Guid Stream)> _unknown = [];
    private readonly AppendPlan _plan = new();
    private LogConnection? _connection;
    private LogHead? _head;
    private byte[] _buffer = new byte[64 * 1024];
    private int _lockFirst;

    public LogWriter(
        Func<LogConnection> connect,
        LogSignal signal,
        TimeProvider time,
        ILogger<LogWriter> logger,
        TimeSpan patience
    )
    {
        _connect = connect;
        _signal = signal;
        _time = time;
        _logger = logger;
        _patience = patience;
        _thread = new Thread(Run) { IsBackground = true, Name = "log writer" };
        _thread.Start();
    }

    public long LastKnownPosition => _signal.Position;

    public void Enqueue(PendingAppend append)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (_waiting.Count >= MaxWaiting)
                throw new LogUnavailableException(
                    $"{MaxWaiting} appends wait for the database already; try again later.",
                    null
                );
            _waiting.Enqueue(append);
            // One permit wakes the writer, which then takes all that waits.
            if (_waiting.Count == 1)
                _arrived.Release();
        }
    }

    /// <summary>Writes what waits, then ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_stopping)
                return;
            _stopping = true;
            _arrived.Release();
        }
        await Task.Run(_thread.Join);
        _arrived.Dispose();
    }

    private void Run()
    {
        var batch = new List<PendingAppend>();
        while (TakeBatch(batch))
        {
            try
            {
                Write(batch);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A fault of ours must not end the thread: every later append would wait for ever.
                LogFault(e);
                Disconnect();
                foreach (var append in batch)
                    append.TrySetException(e);
            }
            batch.Clear();
            if (_buffer.Length > KeptBufferSize)
                _buffer = new byte[64 * 1024];
        }
        Disconnect();
    }

    private bool TakeBatch(List<PendingAppend> batch)
    {
        while (true)
        {
            lock (_gate)
            {
                var events = 0;
                long bytes = 0;
                while (_waiting.TryPeek(out var next))
                {
                    if (
                        batch.Count > 0
                        && (events + next.EventCount > MaxEventsPerBatch || bytes + next.Bytes > MaxBytesPerBatch)
                    )
                    {
                        // The rest forms the next batch; leave a permit, since nobody may arrive to give one.
                        _arrived.Release();
                        return true;
                    }
                    events += next.EventCount;
                    bytes += next.Bytes;
                    batch.Add(_waiting.Dequeue());
                }
                if (batch.Count > 0)
                    return true;
                if (_stopping)
                    return false;
            }
            _arrived.Wait();
        }
    }

    private void Write(List<PendingAppend> batch)
    {
        var started = Stopwatch.GetTimestamp();
        var isHeadSure = false;
        // Set while a commit may or may not have happened: the connection broke before its answer came.
        var isOutcomeUnknown = false;
        while (true)
        {
            try
            {
                _connection ??= _connect();
                if (isOutcomeUnknown)
                {
                    if (Reconcile())
                    {
                        Complete();
                        return;
                    }
                    isOutcomeUnknown = false;
                }
                if (_head is null)
                    CatchUp(_connection.ReadHead());

                if (_lockFirst > 0)
                {
                    var locked = _connection.LockHead();
                    if (locked.Position == _head!.Position)
                        _lockFirst--;
                    CatchUp(locked);
                    isHeadSure = true;
                }

                if (!Plan(batch, isHeadSure, out var hasDoubts))
                {
                    _connection.Rollback();
                    return;
                }
                if (hasDoubts)
                {
                    // A conflict against a head that another instance may have moved is only a guess.
                    CatchUp(_connection.ReadHead());
                    isHeadSure = true;
                    continue;
                }

                var moved = _connection.Commit(_head!, _plan, ref _buffer, ref isOutcomeUnknown);
                isOutcomeUnknown = false;
                _head = moved;
                foreach (var (key, version) in _overlay)
                    _heads.Set(key.Tenant, key.Stream, version);
                Complete();
                return;
            }
            catch (PostgresException e) when (e.SqlState == LogConnection.HeadMoved)
            {
                // Another instance wrote. Lock before planning for a while: guessing again would likely miss again.
                isOutcomeUnknown = false;
                isHeadSure = false;
                _lockFirst = 32;
                _connection!.Rollback();
            }
            catch (PostgresException e)
                when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "events_pkey" })
            {
                // A stream that was taken for new exists. Learn the true versions of all that were not known.
                isOutcomeUnknown = false;
                _connection!.Rollback();
                foreach (var row in _plan.Rows.Where(r => r.Version == 1))
                    _unknown.Add((row.Stream.Context.TenantId, row.Stream.StreamId));
            }
            catch (PostgresException e) when (!IsConnectionLost(e))
            {
                _connection!.Rollback();
                if (batch.Count == 1)
                {
                    batch[0].TrySetException(e);
                    return;
                }
                WriteEachAlone(batch);
                return;
            }
            catch (Exception e)
                when (e is NpgsqlException or IOException or TimeoutException or InvalidOperationException)
            {
                LogConnectionLost(e.Message);
                Disconnect();
                isHeadSure = false;
                if (Stopwatch.GetElapsedTime(started) > _patience)
                {
                    var message = isOutcomeUnknown
                        ? "Postgres went away in the middle of a commit, and did not come back in time to ask whether it happened."
                        : "Postgres cannot be reached; nothing was stored.";
                    foreach (var append in batch)
                        append.TrySetException(new LogUnavailableException(message, e));
                    return;
                }
                Thread.Sleep(50);
            }
        }
    }

    // One append of the batch breaks a rule of the database. Alone, only it fails.
    private void WriteEachAlone(List<PendingAppend> batch)
    {
        foreach (var append in batch.Where(a => !a.Task.IsCompleted).ToList())
            Write([append]);
    }

    // False when nothing is left to write.
    private bool Plan(List<PendingAppend> batch, bool isHeadSure, out bool hasDoubts)
    {
        hasDoubts = false;
        FindUnknown(batch);
        LearnUnknown();

        var now = LeafEncoding.Microseconds(_time.GetUtcNow());
        _plan.Begin(_head!.Position, Math.Max(now, _head.Time));
        _overlay.Clear();
        foreach (var append in batch)
        {
            if (append.Task.IsCompleted)
                continue;
            var conflict = Check(append);
            if (conflict is null)
                _plan.Accept(append);
            else if (isHeadSure)
                append.TrySetResult(new AppendResult(0, default, conflict));
            else
                hasDoubts = true;
        }
        return hasDoubts || _plan.Accepted.Count > 0;
    }

    private VersionConflict? Check(PendingAppend append)
    {
        for (var i = 0; i < append.Streams.Count; i++)
        {
            var stream = append.Streams[i];
            var key = (stream.Context.TenantId, stream.StreamId);
            var actual = VersionOf(key);
            if (actual != stream.ExpectedVersion)
            {
                for (var done = i - 1; done >= 0; done--)
                    _overlay[(append.Streams[done].Context.TenantId, append.Streams[done].StreamId)] = append
                        .Streams[done]
                        .ExpectedVersion;
                return new VersionConflict(stream.StreamId, stream.ExpectedVersion, actual);
            }
            _overlay[key] = actual + stream.Events.Length;
        }
        return null;
    }

    // A stream that nobody knows and that is expected to be new is taken for new: the primary key has the last word.
    private long VersionOf((Guid Tenant, Guid Stream) key) =>
        _overlay.TryGetValue(key, out var version) || _heads.TryGet(key.Tenant, key.Stream, out version) ? version : 0;

    private void FindUnknown(List<PendingAppend> batch)
    {
        foreach (var append in batch)
        {
            foreach (var stream in append.Streams)
            {
                if (stream.ExpectedVersion > 0 && !_heads.TryGet(stream.Context.TenantId, stream.StreamId, out _))
                    _unknown.Add((stream.Context.TenantId, stream.StreamId));
            }
        }
    }

    private void LearnUnknown()
    {
        if (_unknown.Count == 0)
            return;
        foreach (var (tenant, stream) in _unknown)
            _heads.Set(tenant, stream, 0);
        foreach (var (tenant, stream, version) in _connection!.ReadVersions(_unknown))
            _heads.Set(tenant, stream, version);
        _unknown.Clear();
    }

    private void CatchUp(LogHead head)
    {
        if (_head is not null && head.Position != _head.Position)
        {
            if (head.Position - _head.Position > MaxEventsPerBatch)
            {
                _heads.Clear();
            }
            else
            {
                foreach (
                    var (tenant, stream, version) in _connection!.ReadVersionsBehind(_head.Position, head.Position)
                )
                    _heads.Set(tenant, stream, version);
            }
        }
        _head = head;
    }

    // After a connection broke in a commit: was it done? Asked under the lock, because the old transaction may still be at work.
    private bool Reconcile()
    {
        var head = _connection!.LockHead();
        var isCommitted =
            head.Position >= _plan.LastPosition
            && _connection.HasLeaf(_plan.LastPosition, _plan.HashOf(_plan.Rows.Count - 1));
        _connection.Rollback();
        CatchUp(head);
        return isCommitted;
    }

    private void Complete()
    {
        _signal.Publish(_plan.LastPosition);
        var position = _plan.FirstPosition - 1;
        foreach (var append in _plan.Accepted)
            append.TrySetResult(_plan.ResultFor(append, ref position));
    }

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
        _head = null;
        _heads.Clear();
    }

    private static bool IsConnectionLost(PostgresException e) =>
        e.SqlState.StartsWith("57P", StringComparison.Ordinal) // shutdown, crash, cannot connect now
        || e.SqlState.StartsWith("08", StringComparison.Ordinal)
        || e.SqlState == PostgresErrorCodes.TooManyConnections
        || e.SqlState == PostgresErrorCodes.QueryCanceled;

    [LoggerMessage(LogLevel.Warning, "The log's connection to Postgres was lost ({Reason}); trying again")]
    private partial void LogConnectionLost(string reason);

    [LoggerMessage(LogLevel.Error, "The log writer met a fault")]
    private partial void LogFault(Exception exception);
}
