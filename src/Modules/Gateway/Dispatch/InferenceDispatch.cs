using Polly;
using Polly.CircuitBreaker;
using Verbatim.Modules.Gateway.Models;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>The tries of one call: which deployment is next, and what became of each.</summary>
/// <param name="order">What is asked for.</param>
/// <param name="picker">Chooses; has chosen <paramref name="first"/>.</param>
/// <param name="first">Where the first try goes.</param>
/// <param name="time">Measures.</param>
/// <param name="callEnds">Ends every try: the caller has gone.</param>
internal sealed class InferenceDispatch(
    InferenceOrder order,
    Picker picker,
    Deployment first,
    TimeProvider time,
    CancellationToken callEnds
) : IDisposable
{
    // A client waits for its answer meanwhile: what a provider asks for beyond this is for the client to decide.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<UpstreamAttempt> _attempts = [];
    private Deployment? _next = first;

    /// <summary>The tries so far.</summary>
    public IReadOnlyList<UpstreamAttempt> Attempts
    {
        get
        {
            lock (_gate)
                return [.. _attempts];
        }
    }

    /// <summary>How long to wait before the next try; null for the usual.</summary>
    public TimeSpan? NextWait { get; private set; }

    /// <summary>Tries until one has begun, or no further try is worth it: then the last one, with its failure.</summary>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public ValueTask<UpstreamAttempt> RunAsync() => order.Route.Pipeline.RunAsync(this, callEnds);

    /// <summary>Makes the next try.</summary>
    internal async ValueTask<UpstreamAttempt> TryAsync(CancellationToken givenUp)
    {
        Deployment deployment;
        lock (_gate)
            deployment = _next ?? throw new InvalidOperationException("No deployment was chosen.");
        return await TryAsync(deployment, givenUp);
    }

    /// <summary>Whether another try may bring what this one did not; chooses where it goes.</summary>
    internal bool MayTryAgain(UpstreamAttempt failed)
    {
        var failure = failed.Failure!;
        lock (_gate)
        {
            if (failure.MayHelpElsewhere && picker.TryNext(out var other))
            {
                _next = other;
                NextWait = TimeSpan.Zero;
                return true;
            }
            if (!failure.MayHelpAgain)
                return false;
            var wait = failure.RetryAfter ?? failed.Deployment.Health.Unavailable();
            if (wait > LongestWait)
                return false;
            _next = failed.Deployment;
            NextWait = wait > TimeSpan.Zero ? wait : null;
            return true;
        }
    }

    /// <summary>A try beside the one that is silent; null when there is no other deployment.</summary>
    internal Func<ValueTask<Outcome<UpstreamAttempt>>>? Hedge(ResilienceContext context)
    {
        Deployment? other;
        lock (_gate)
        {
            if (!picker.TryNext(out other))
                return null;
        }
        return async () => Outcome.FromResult(await TryAsync(other, context.CancellationToken));
    }

    public void Dispose()
    {
        foreach (var attempt in Attempts)
            attempt.Dispose();
    }

    private async ValueTask<UpstreamAttempt> TryAsync(Deployment deployment, CancellationToken givenUp)
    {
        UpstreamAttempt attempt;
        lock (_gate)
        {
            attempt = new UpstreamAttempt(_attempts.Count + 1, deployment, order, time, callEnds);
            _attempts.Add(attempt);
        }
        try
        {
            return await deployment.Health.Breaker.ExecuteAsync(
                static async (attempt, token) =>
                {
                    await attempt.BeginAsync(token);
                    return attempt;
                },
                attempt,
                givenUp
            );
        }
        catch (BrokenCircuitException)
        {
            attempt.Refuse(AttemptFailure.CircuitOpen);
            return attempt;
        }
        catch (Exception e)
        {
            // Another that was faster may be relayed for an hour: what this one held is free now.
            if (e is OperationCanceledException && !callEnds.IsCancellationRequested)
                attempt.Refuse(AttemptFailure.Superseded);
            else
                attempt.End();
            throw;
        }
    }
}
