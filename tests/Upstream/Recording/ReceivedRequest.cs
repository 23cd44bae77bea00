using System.Buffers;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Verbatim.Tests.Upstream;

/// <summary>How an exchange ended.</summary>
public enum ExchangeOutcome
{
    /// <summary>The answer is still being sent.</summary>
    Pending,

    /// <summary>Sent to its end, whole or ended early on command.</summary>
    Answered,

    /// <summary>The provider cut or closed the connection on command.</summary>
    Cut,

    /// <summary>The client went away first.</summary>
    ClientLeft,

    /// <summary>The provider was stopped while it answered.</summary>
    Stopped,
}

/// <summary>One request as it arrived, and what became of it. Safe to read while the answer is being sent.</summary>
public sealed class ReceivedRequest
{
    /// <summary>Of the bytes sent at most so many are kept.</summary>
    public const int KeptBytes = 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ArrayBufferWriter<byte> _sent = new();
    private readonly List<(Func<bool> IsReached, TaskCompletionSource Waiter)> _waiters = [];
    private ExchangeOutcome _outcome;
    private DateTimeOffset? _finishedAt;
    private int _status;
    private int _events;
    private long _bytes;
    private int _releases;
    private TaskCompletionSource? _hold;

    internal ReceivedRequest(
        TimeProvider time,
        string connectionId,
        string method,
        string target,
        IEnumerable<KeyValuePair<string, StringValues>> headers,
        byte[] body
    )
    {
        _time = time;
        ReceivedAt = time.GetUtcNow();
        ConnectionId = connectionId;
        Method = method;
        Path = target;
        Headers = headers.ToDictionary(
            static header => header.Key,
            static header => (IReadOnlyList<string>)[.. header.Value.OfType<string>()],
            StringComparer.OrdinalIgnoreCase
        );
        Body = body;
    }

    /// <summary>When its body had arrived.</summary>
    public DateTimeOffset ReceivedAt { get; }

    /// <summary>The same for requests of one connection, so that a test can see whether connections are reused.</summary>
    public string ConnectionId { get; }

    /// <summary>The method, in upper case as it came.</summary>
    public string Method { get; }

    /// <summary>The path with its query, as it came.</summary>
    public string Path { get; }

    /// <summary>All headers; names compare without regard to case.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; }

    /// <summary>The exact bytes of the body, without the framing of chunks.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>The body as UTF-8 text.</summary>
    public string BodyText => Encoding.UTF8.GetString(Body.Span);

    /// <summary>The status of the answer; 0 before it began.</summary>
    public int Status => Read(() => _status);

    /// <summary>How it ended, or <see cref="ExchangeOutcome.Pending"/>.</summary>
    public ExchangeOutcome Outcome => Read(() => _outcome);

    /// <summary>When it ended; null while the answer is being sent.</summary>
    public DateTimeOffset? FinishedAt => Read(() => _finishedAt);

    /// <summary>When the client went away before the end of the answer; null when it did not.</summary>
    public DateTimeOffset? ClientLeftAt => Read(() => _outcome is ExchangeOutcome.ClientLeft ? _finishedAt : null);

    /// <summary>Completes when the answer has ended, in whatever way.</summary>
    public Task Finished => _finished.Task;

    /// <summary>Whole events that the kernel has taken; 1 for a whole JSON answer.</summary>
    public int EventsWritten => Read(() => _events);

    /// <summary>Bytes of the body that the kernel has taken, without the framing of chunks.</summary>
    public long BytesWritten => Read(() => _bytes);

    /// <summary>The exact bytes of the body sent so far, the first <see cref="KeptBytes"/> of them.</summary>
    public byte[] SentBody => Read(() => _sent.WrittenSpan.ToArray());

    /// <summary>The values of a header joined by a comma, or null.</summary>
    public string? Header(string name) => Headers.TryGetValue(name, out var values) ? string.Join(", ", values) : null;

    /// <summary>Lets an answer go on that waits at a <c>hold_after</c>; may come before it waits.</summary>
    public void Release()
    {
        lock (_lock)
        {
            if (_hold is null)
                _releases++;
            else
                _hold.TrySetResult();
            _hold = null;
        }
    }

    /// <summary>Completes when so many whole events were sent.</summary>
    public Task EventsAsync(int count, CancellationToken cancellationToken = default) =>
        ReachAsync(() => _events >= count, cancellationToken);

    /// <summary>Completes when the answer waits at a <c>hold_after</c>.</summary>
    public Task HeldAsync(CancellationToken cancellationToken = default) =>
        ReachAsync(() => _hold is not null, cancellationToken);

    internal bool Carries(string marker) =>
        Path.Contains(marker, StringComparison.Ordinal)
        || Body.Span.IndexOf(Encoding.UTF8.GetBytes(marker)) >= 0
        || Headers.Values.Any(values => values.Any(value => value.Contains(marker, StringComparison.Ordinal)));

    internal void Start(int status)
    {
        lock (_lock)
            _status = status;
    }

    internal void Wrote(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _bytes += bytes.Length;
            _sent.Write(bytes[..(int)Math.Min(bytes.Length, KeptBytes - _sent.WrittenCount)]);
        }
    }

    internal void WroteEvents(int count)
    {
        lock (_lock)
            _events += count;
        Notify();
    }

    internal async Task HoldAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource hold;
        lock (_lock)
        {
            if (_releases > 0)
            {
                _releases--;
                return;
            }

            hold = _hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Notify();
        await hold.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Sets the outcome; the first one stays.</summary>
    internal void Finish(ExchangeOutcome outcome)
    {
        lock (_lock)
        {
            if (_outcome is not ExchangeOutcome.Pending)
                return;
            _finishedAt = _time.GetUtcNow();
            _outcome = outcome;
            _hold = null;
        }

        _finished.TrySetResult();
        Notify();
    }

    private T Read<T>(Func<T> read)
    {
        lock (_lock)
            return read();
    }

    private Task ReachAsync(Func<bool> isReached, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (isReached())
                return Task.CompletedTask;
            if (_outcome is not ExchangeOutcome.Pending)
                return Task.FromException(NotReached());
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((isReached, waiter));
            return waiter.Task.WaitAsync(cancellationToken);
        }
    }

    private void Notify()
    {
        lock (_lock)
        {
            foreach (var (isReached, waiter) in _waiters)
            {
                if (isReached())
                    waiter.TrySetResult();
                else if (_outcome is not ExchangeOutcome.Pending)
                    waiter.TrySetException(NotReached());
            }
        }
    }

    private InvalidOperationException NotReached() =>
        new($"The answer ended ({_outcome}) after {_events} events, before what was waited for.");
}
