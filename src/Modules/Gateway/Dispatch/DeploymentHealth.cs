using System.Threading.RateLimiting;
using Polly;
using Polly.CircuitBreaker;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>
/// How a deployment fares, as this instance has seen it: whether it may be asked now, how many calls are at it, how soon it begins to answer.
/// </summary>
internal sealed class DeploymentHealth : IDisposable
{
    /// <summary>Of the calls in the sampling window, the part that must fail before the circuit opens.</summary>
    private const double FailureRatio = 0.5;

    // Below this many calls in the window a few failures say nothing about the deployment.
    private const int MinimumCalls = 5;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BreakFor = TimeSpan.FromSeconds(15);

    // A new measurement counts for a fifth: some ten calls are remembered.
    private const double Weight = 0.2;

    // What models take varies by more than this from call to call: below it, the weights are what was asked for.
    private const double NoticeableMs = 50;
    private const double HalfLifeSeconds = 30;

    /// <summary>How the deployment counts, beside the gateway's estimates of what it is asked.</summary>
    public TokenScale Input { get; } = new();

    /// <summary>The same of what it answers.</summary>
    public TokenScale Output { get; } = new();

    private readonly TimeProvider _time;
    private readonly CircuitBreakerStateProvider _circuit = new();
    private readonly ConcurrencyLimiter? _limiter;
    private long _coolUntil;
    private long _openUntil;
    private double _latencyMs;
    private long _measuredAt;
    private int _inFlight;

    public DeploymentHealth(int? maxConcurrency, int maxQueue, TimeProvider time)
    {
        _time = time;
        if (maxConcurrency is { } limit)
        {
            _limiter = new ConcurrencyLimiter(
                new ConcurrencyLimiterOptions
                {
                    PermitLimit = limit,
                    QueueLimit = maxQueue,
                    QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
                }
            );
        }
        Breaker = new ResiliencePipelineBuilder<UpstreamAttempt> { TimeProvider = time }
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions<UpstreamAttempt>
                {
                    FailureRatio = FailureRatio,
                    MinimumThroughput = MinimumCalls,
                    SamplingDuration = Window,
                    BreakDuration = BreakFor,
                    StateProvider = _circuit,
                    ShouldHandle = args => ValueTask.FromResult(SpeaksAgainstIt(args.Outcome)),
                    OnOpened = args =>
                    {
                        Volatile.Write(ref _openUntil, After(args.BreakDuration));
                        return ValueTask.CompletedTask;
                    },
                }
            )
            .Build();
    }

    /// <summary>Opens when most calls fail, lets one through after a while to see, and closes when that one succeeds.</summary>
    public ResiliencePipeline<UpstreamAttempt> Breaker { get; }

    /// <summary>The circuit as it stands.</summary>
    public CircuitState Circuit => _circuit.CircuitState;

    /// <summary>Calls that are at the provider now.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>What choosing between two deployments compares: the time that one more call would wait for its first byte.</summary>
    /// <remarks>What was measured counts half after each half minute: one that was slow once is asked again, and measured anew.</remarks>
    public double Score
    {
        get
        {
            var age = _time.GetElapsedTime(Volatile.Read(ref _measuredAt)).TotalSeconds;
            var latency = Volatile.Read(ref _latencyMs) * Math.Pow(0.5, age / HalfLifeSeconds);
            return (InFlight + 1) * Math.Max(latency, NoticeableMs);
        }
    }

    /// <summary>Zero when it may be asked now; otherwise how long not.</summary>
    public TimeSpan Unavailable()
    {
        var until = Volatile.Read(ref _coolUntil);
        // Past that time the state stays "open" until somebody tries.
        if (_circuit.CircuitState is CircuitState.Open or CircuitState.Isolated)
            until = Math.Max(until, Volatile.Read(ref _openUntil));
        var left = until - _time.GetTimestamp();
        return left <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)left / _time.TimestampFrequency);
    }

    /// <summary>The provider asked to be left alone for a while.</summary>
    public void Cool(TimeSpan duration)
    {
        var until = After(duration);
        long seen;
        while (until > (seen = Volatile.Read(ref _coolUntil)))
        {
            if (Interlocked.CompareExchange(ref _coolUntil, until, seen) == seen)
                return;
        }
    }

    /// <summary>A place among the calls that may be at it at once; null when there is none, not even to wait.</summary>
    public async ValueTask<DeploymentPlace?> EnterAsync(CancellationToken cancellationToken)
    {
        RateLimitLease? lease = null;
        if (_limiter is not null)
        {
            lease = await _limiter.AcquireAsync(1, cancellationToken);
            if (!lease.IsAcquired)
            {
                lease.Dispose();
                return null;
            }
        }
        Interlocked.Increment(ref _inFlight);
        return new DeploymentPlace(this, lease);
    }

    /// <summary>A call began to answer after so long.</summary>
    public void Began(double milliseconds)
    {
        var seen = Volatile.Read(ref _latencyMs);
        // Two at once may lose one measurement, which does not matter to an average.
        Volatile.Write(ref _measuredAt, _time.GetTimestamp());
        Volatile.Write(ref _latencyMs, seen == 0 ? milliseconds : seen + ((milliseconds - seen) * Weight));
    }

    public void Dispose() => _limiter?.Dispose();

    // While the circuit is half open, one call is to show that the provider is back. Whose caller hung up first has shown nothing.
    private bool SpeaksAgainstIt(Outcome<UpstreamAttempt> outcome) =>
        outcome.Result is { Failure.IsTheProviders: true }
        || (
            _circuit.CircuitState == CircuitState.HalfOpen
            && (outcome.Exception is not null || outcome.Result?.Failure == AttemptFailure.Busy)
        );

    internal void Leave() => Interlocked.Decrement(ref _inFlight);

    private long After(TimeSpan duration) =>
        _time.GetTimestamp() + (long)(duration.TotalSeconds * _time.TimestampFrequency);
}

/// <summary>A call that is at a deployment, until it is disposed of.</summary>
internal sealed class DeploymentPlace(DeploymentHealth health, RateLimitLease? lease) : IDisposable
{
    private int _isLeft;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isLeft, 1) != 0)
            return;
        health.Leave();
        lease?.Dispose();
    }
}
