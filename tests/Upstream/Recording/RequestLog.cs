namespace Verbatim.Tests.Upstream;

/// <summary>
/// What a provider received, in the order of arrival. Tests that share a provider find their own requests by a marker:
/// any text, best a fresh id, that stands in the path, a header or the body.
/// </summary>
public sealed class RequestLog
{
    private readonly Lock _lock = new();
    private readonly List<ReceivedRequest> _requests = [];
    private readonly List<Waiter> _waiters = [];

    internal RequestLog() { }

    /// <summary>Every request so far.</summary>
    public IReadOnlyList<ReceivedRequest> All
    {
        get
        {
            lock (_lock)
                return [.. _requests];
        }
    }

    /// <summary>The requests with this marker so far.</summary>
    public IReadOnlyList<ReceivedRequest> Of(string marker)
    {
        lock (_lock)
            return Find(marker);
    }

    /// <summary>The first request with this marker, as soon as it has arrived.</summary>
    public async Task<ReceivedRequest> FirstAsync(string marker, CancellationToken cancellationToken = default) =>
        (await FirstAsync(marker, 1, cancellationToken))[0];

    /// <summary>The first requests with this marker, as soon as so many have arrived.</summary>
    public async Task<IReadOnlyList<ReceivedRequest>> FirstAsync(
        string marker,
        int count,
        CancellationToken cancellationToken = default
    )
    {
        Waiter waiter;
        lock (_lock)
        {
            waiter = new Waiter(marker, count - Find(marker).Count);
            _waiters.Add(waiter);
        }

        await waiter.Arrived.WaitAsync(cancellationToken);
        return [.. Of(marker).Take(count)];
    }

    internal void Add(ReceivedRequest request)
    {
        lock (_lock)
        {
            _requests.Add(request);
            _waiters.RemoveAll(waiter => waiter.Saw(request));
        }
    }

    private List<ReceivedRequest> Find(string marker) => _requests.FindAll(request => request.Carries(marker));

    private sealed class Waiter
    {
        private readonly string _marker;
        private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _missing;

        public Waiter(string marker, int missing)
        {
            _marker = marker;
            _missing = missing;
            if (missing <= 0)
                _arrived.SetResult();
        }

        public Task Arrived => _arrived.Task;

        /// <summary>True when this was the last one missing.</summary>
        public bool Saw(ReceivedRequest request)
        {
            if (_missing > 0 && request.Carries(_marker))
                _missing--;
            return _missing <= 0 && (_arrived.Task.IsCompleted || _arrived.TrySetResult());
        }
    }
}
