using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Evidence;

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
    private const int MaxWaiting = 50_000;
    private const long MaxWaitingBytes = 256 * 1024 * 1024;

    // So many transactions take the lock before they are planned, once another instance has been seen to write.
    private const int LockFirstAfterCollision = 32;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly Func<LogConnection> _connect;
    private readonly LogSignal _signal;
    private readonly RecentEvents _recent;
    private readonly TimeProvider _time;
    private readonly ILogger<LogWriter> _logger;
    private readonly TimeSpan _patience;
    private readonly Thread _thread;

    private readonly object _gate = new();
    private readonly Queue<PendingAppend> _waiting = new();
    private long _waitingBytes;
    private bool _isIdle;
    private bool _stopping;

    // Only the writer's thread touches what follows.
    private readonly Stack<List<PendingAppend>> _parts = new();
    private readonly StreamHeads _heads = new();

    // What was asked about streams for the part at hand. Not among the heads, which could forget others of the part for it.
    private readonly Dictionary<StreamKey, long> _learned = [];
    private readonly Dictionary<StreamKey, long> _overlay = [];
    private readonly HashSet<StreamKey> _unknown = [];
    private readonly AppendPlan _plan = new();

    // The plan refused somebody because of a repair.
    private bool _sawRepair;
    private LogConnection? _connection;
    private LogHead? _head;
    private int _lockFirst;
    private long? _failingSince;

    /// <param name="connect">Opens a connection to the primary.</param>
    /// <param name="signal">Hears of every commit.</param>
    /// <param name="recent">Keeps what was committed for a moment.</param>
    /// <param name="time">The clock that events are stamped by.</param>
    /// <param name="logger">Hears of lost connections.</param>
    /// <param name="patience">How long Postgres may be away before appends fail.</param>
    public LogWriter(
        Func<LogConnection> connect,
        LogSignal signal,
        RecentEvents recent,
        TimeProvider time,
        ILogger<LogWriter> logger,
        TimeSpan patience
    )
    {
        _connect = connect;
        _signal = signal;
        _recent = recent;
        _time = time;
        _logger = logger;
        _patience = patience;
        _thread = new Thread(Run) { IsBackground = true, Name = "log writer" };
        _thread.Start();
    }

    public long LastKnownPosition => _signal.Position;

    /// <summary>How many appends wait for their turn.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    public void Enqueue(PendingAppend append)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            // An append that is larger than the limit still finds room in an empty queue.
            if (_waiting.Count >= MaxWaiting || (_waiting.Count > 0 && _waitingBytes + append.Bytes > MaxWaitingBytes))
                throw new LogUnavailableException(
                    $"{_waiting.Count} appends of {_waitingBytes} bytes wait for the database already; try again later."
                );
            _waiting.Enqueue(append);
            _waitingBytes += append.Bytes;
            if (_isIdle)
                Monitor.Pulse(_gate);
        }
    }

    /// <summary>Writes what waits, then ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }
        await Task.Run(_thread.Join);
    }

    private void Run()
    {
        while (Take() is { } batch)
        {
            _parts.Push(batch);
            while (_parts.TryPop(out var part))
            {
                try
                {
                    Write(part);
                }
                catch (Exception e)
                {
                    // A fault of ours must not end the thread: every later append would wait for ever.
                    LogFault(e);
                    Disconnect();
                    Fail(part, e);
                }
            }
        }
        Disconnect();
    }

    /// <summary>The next batch; null when there will be none.</summary>
    private List<PendingAppend>? Take()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                if (_stopping)
                    return null;
                _isIdle = true;
                Monitor.Wait(_gate);
                _isIdle = false;
            }

            var batch = new List<PendingAppend>(Math.Min(_waiting.Count, MaxEventsPerBatch));
            var events = 0;
            long bytes = 0;
            while (_waiting.TryPeek(out var next))
            {
                events += next.EventCount;
                bytes += next.Bytes;
                if (batch.Count > 0 && (events > MaxEventsPerBatch || bytes > MaxBytesPerBatch))
                    break;
                batch.Add(_waiting.Dequeue());
                _waitingBytes -= next.Bytes;
            }
            return batch;
        }
    }

    // Returns when each append of the part is answered, or has been put back in smaller parts.
    private void Write(List<PendingAppend> part)
    {
        _learned.Clear();
        _unknown.Clear();
        var isHeadSure = false;
        // Set while a commit may or may not have happened: the connection broke before its answer came.
        var isPlanInDoubt = false;
        var collisions = 0;
        Exception? fault = null;
        while (true)
        {
            try
            {
                _connection ??= _connect();
                if (isPlanInDoubt || _lockFirst > 0)
                {
                    if (CatchUp(_connection.LockHead()) && _lockFirst > 0)
                        _lockFirst--;
                    isHeadSure = true;
                }
                else if (_head is null)
                {
                    CatchUp(_connection.ReadHead());
                    isHeadSure = true;
                }

                if (isPlanInDoubt)
                {
                    if (IsCommitted())
                    {
                        _connection.Rollback();
                        Complete();
                        return;
                    }
                    // The lost connection's transaction may still be at work in the server, and succeed as soon as we let go of the
                    // lock: only until the log has grown. So the very same plan goes first, or it is dead already.
                    isPlanInDoubt = fault is null && _head == _plan.Base;
                }
                if (fault is not null)
                {
                    _connection.Rollback();
                    Split(part, culprit: null, fault);
                    return;
                }

                // A conflict against a head that another instance may have moved is only a guess. A repair moves it without an event, so
                // no commit would ever tell of it, and who is refused for it comes again at once.
                if (!isPlanInDoubt && (!TryPlan(part) || _sawRepair) && !isHeadSure)
                {
                    CatchUp(_connection.ReadHead());
                    isHeadSure = true;
                    TryPlan(part);
                }
                if (_plan.Rows.Count > 0 && !_connection.IsLocked && !LogConnection.IsOneRoundTrip(_plan))
                {
                    if (!CatchUp(_connection.LockHead()))
                    {
                        _lockFirst = LockFirstAfterCollision;
                        TryPlan(part);
                    }
                }

                if (_plan.Rows.Count > 0)
                    _connection.Commit(_plan, ref isPlanInDoubt);
                else
                    _connection.Rollback();
                Complete();
                return;
            }
            catch (PostgresException e)
                when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "events_position" })
            {
                // Another instance wrote. Lock before planning for a while: guessing again would likely miss again.
                isPlanInDoubt = false;
                isHeadSure = false;
                _lockFirst = LockFirstAfterCollision;
                _connection!.Rollback();
            }
            catch (PostgresException e)
                when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "events_pkey" }
                    && ++collisions < 3
                )
            {
                // A stream that was taken for new exists. Learn the true versions of all that were.
                isPlanInDoubt = false;
                isHeadSure = false;
                _connection!.Rollback();
                foreach (var row in _plan.Rows)
                    _unknown.Add(row.Stream.Key);
                _lockFirst = Math.Max(_lockFirst, 1);
            }
            catch (PostgresException e) when (_connection is { IsOpen: true } && Classify(e) == Failure.OfItsOwn)
            {
                _connection.Rollback();
                Split(part, _connection.CulpritOf(e), e);
                return;
            }
            catch (PostgresException e)
                when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled
                    && _connection is { IsOpen: true }
                    && _connection.CulpritOf(e) is { } culprit
                )
            {
                // Its statement waits for what somebody else holds: that is no reason to keep the others waiting again.
                _connection.Rollback();
                Split(part, culprit, e);
                return;
            }
            catch (Exception e)
                when (e is NpgsqlException or IOException or TimeoutException || _connection is not { IsOpen: true })
            {
                if (_failingSince is null)
                    LogFailing(e.Message);
                _failingSince ??= Stopwatch.GetTimestamp();
                if (
                    e is PostgresException known
                    && Classify(known) == Failure.Passing
                    && _connection is { IsOpen: true }
                )
                {
                    isPlanInDoubt = false;
                    _connection.Rollback();
                }
                else
                {
                    Disconnect();
                }
                isHeadSure = false;
                if (Stopwatch.GetElapsedTime(_failingSince.Value) > _patience)
                {
                    Disconnect();
                    Fail(part, Unavailable(e, isPlanInDoubt));
                    return;
                }
                Thread.Sleep(RetryDelay);
            }
            catch (Exception e) when (fault is null)
            {
                // Not the database's word, so perhaps a value that Npgsql cannot write. What was sent until then is unclear.
                LogFault(e);
                Disconnect();
                fault = e;
            }
        }
    }

    // Leaves the rest to be written first: what an append fails of alone is its own fault, and nothing of the others is lost.
    private void Split(List<PendingAppend> part, PendingAppend? culprit, Exception e)
    {
        Recovered();
        if (part.Count == 1)
        {
            Fail(part, e);
        }
        else if (culprit is not null)
        {
            _parts.Push([culprit]);
            _parts.Push([.. part.Where(a => a != culprit)]);
        }
        else
        {
            var half = part.Count / 2;
            _parts.Push(part[half..]);
            _parts.Push(part[..half]);
        }
    }

    private static void Fail(List<PendingAppend> part, Exception e)
    {
        foreach (var append in part)
            append.TrySetException(e);
    }

    // False when nothing is to be written: each append is in conflict.
    private bool TryPlan(List<PendingAppend> part)
    {
        LearnVersions(part);
        _plan.Begin(_head!.Value, LeafEncoding.Microseconds(_time.GetUtcNow()));
        _overlay.Clear();
        _sawRepair = false;
        foreach (var append in part)
        {
            if (Check(append) is { } conflict)
                _plan.Refuse(append, conflict);
            else
                _plan.Accept(append);
        }
        return _plan.Accepted.Count > 0;
    }

    private VersionConflict? Check(PendingAppend append)
    {
        for (var i = 0; i < append.Streams.Count; i++)
        {
            var stream = append.Streams[i];
            var actual = VersionOf(stream.Key);
            var isRepaired = stream.Snapshot?.Generation is { } loaded && loaded != _head!.Value.Generation;
            if (actual != stream.ExpectedVersion || isRepaired)
            {
                _sawRepair |= isRepaired;
                for (var done = i - 1; done >= 0; done--)
                    _overlay[append.Streams[done].Key] = append.Streams[done].ExpectedVersion;
                return new VersionConflict(stream.StreamId, stream.ExpectedVersion, actual);
            }
            _overlay[stream.Key] = stream.NewVersion;
        }
        return null;
    }

    // A stream that nobody knows and that is expected to be new is taken for new: the primary key has the last word.
    private long VersionOf(StreamKey stream) =>
        _overlay.TryGetValue(stream, out var version)
        || _learned.TryGetValue(stream, out version)
        || _heads.TryGet(stream, out version)
            ? version
            : 0;

    private void LearnVersions(List<PendingAppend> part)
    {
        foreach (var append in part)
        {
            for (var i = 0; i < append.Streams.Count; i++)
            {
                var stream = append.Streams[i];
                var isKnown = _learned.ContainsKey(stream.Key) || _heads.TryGet(stream.Key, out _);
                if (stream.ExpectedVersion > 0 && !isKnown)
                    _unknown.Add(stream.Key);
            }
        }

        if (_unknown.Count == 0)
            return;
        foreach (var stream in _unknown)
            _learned[stream] = 0;
        foreach (var (stream, version) in _connection!.ReadVersions(_unknown))
            _learned[stream] = version;
        _unknown.Clear();
    }

    private void ForgetVersions()
    {
        _heads.Clear();
        // Asked about once, for a reason, so asked about again.
        _unknown.UnionWith(_learned.Keys);
        _learned.Clear();
    }

    /// <returns>False when somebody else has written since the head was known.</returns>
    private bool CatchUp(LogHead head)
    {
        var isSame = _head is { } known && known == head;
        if (!isSame && _head is { } before)
        {
            if (head.Position < before.Position || head.Position - before.Position > MaxEventsPerBatch)
            {
                ForgetVersions();
            }
            else
            {
                foreach (var (stream, version) in _connection!.ReadVersionsBehind(before.Position, head.Position))
                {
                    _heads.Set(stream, version);
                    if (_learned.ContainsKey(stream))
                        _learned[stream] = version;
                }
            }
        }
        _head = head;
        return isSame;
    }

    // Asked under the lock.
    private bool IsCommitted() =>
        _head!.Value.Position >= _plan.Result.Position
        && _connection!.HasLeaf(_plan.Result.Position, _plan.HashOf(_plan.Rows.Count - 1));

    private void Complete()
    {
        Recovered();
        if (_plan.Rows.Count > 0)
        {
            // After a doubtful commit others may have written more, to the same streams perhaps.
            if (_head!.Value.Position <= _plan.Result.Position)
            {
                _head = _plan.Result;
                foreach (var (stream, version) in _overlay)
                    _heads.Set(stream, version);
            }
            _recent.Add(_plan);
            _signal.Publish(_plan.Result.Position);
        }
        _plan.Complete();
    }

    private void Recovered()
    {
        if (_failingSince is { } since)
            LogRecovered(Stopwatch.GetElapsedTime(since).TotalSeconds);
        _failingSince = null;
    }

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
        _head = null;
        ForgetVersions();
    }

    private static LogUnavailableException Unavailable(Exception e, bool isOutcomeUnknown) =>
        new(
            isOutcomeUnknown
                ? "Postgres went away in the middle of a commit, and did not come back in time to ask whether it happened."
                : "Postgres cannot be written to; nothing was stored.",
            e,
            isOutcomeUnknown
        );

    private enum Failure
    {
        /// <summary>The statement is wrong, and will be the next time.</summary>
        OfItsOwn,

        /// <summary>The same may succeed in a moment, on the same connection.</summary>
        Passing,

        /// <summary>The server is not itself.</summary>
        OfTheServer,
    }

    // PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
    private static Failure Classify(PostgresException e) =>
        e.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.LockNotAvailable
            or PostgresErrorCodes.QueryCanceled => Failure.Passing,
            // A fail-over has left this connection on a server that only reads.
            PostgresErrorCodes.ReadOnlySqlTransaction => Failure.OfTheServer,
            // 08 connection, 25P03 and 25P04 timeouts of a transaction, 53 resources, 57P shutdown, 58 system, XX internal.
            "25P03" or "25P04" => Failure.OfTheServer,
            ['0', '8', ..] or ['5', '3', ..] or ['5', '7', 'P', ..] or ['5', '8', ..] => Failure.OfTheServer,
            _ => Failure.OfItsOwn,
        };

    [LoggerMessage(LogLevel.Warning, "Postgres does not take appends ({Reason}); trying again")]
    private partial void LogFailing(string reason);

    [LoggerMessage(LogLevel.Warning, "Postgres takes appends again, after {Seconds:0.0} s")]
    private partial void LogRecovered(double seconds);

    [LoggerMessage(LogLevel.Error, "The log writer met a fault")]
    private partial void LogFault(Exception exception);
}
