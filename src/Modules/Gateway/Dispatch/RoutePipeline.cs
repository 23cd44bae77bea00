using Polly;
using Polly.Hedging;
using Polly.Retry;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>How often and when a call is tried again, for a route.</summary>
internal sealed class RoutePipeline
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly ResiliencePropertyKey<InferenceDispatch> Key = new("dispatch");

    private readonly ResiliencePipeline<UpstreamAttempt> _pipeline;
    private readonly bool _hedges;

    /// <summary>
    /// Another deployment is tried at once; the same one after a wait that doubles, with jitter, or as long as the provider asked for.
    /// </summary>
    /// <param name="maxAttempts">The most tries of a call.</param>
    /// <param name="hedgeAfter">When a second deployment is asked beside a first that is silent; null for never.</param>
    /// <param name="time">Waits.</param>
    public RoutePipeline(int maxAttempts, TimeSpan? hedgeAfter, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<UpstreamAttempt> { TimeProvider = time };
        if (maxAttempts > 1)
        {
            builder.AddRetry(
                new RetryStrategyOptions<UpstreamAttempt>
                {
                    MaxRetryAttempts = maxAttempts - 1,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = FirstWait,
                    ShouldHandle = static args =>
                        ValueTask.FromResult(
                            args.Outcome.Result is { Failure: not null } failed
                                && DispatchOf(args.Context).MayTryAgain(failed)
                        ),
                    // Null leaves the wait to the strategy.
                    DelayGenerator = static args => ValueTask.FromResult(DispatchOf(args.Context).NextWait),
                }
            );
        }
        if (hedgeAfter is { } delay)
        {
            _hedges = true;
            builder.AddHedging(
                new HedgingStrategyOptions<UpstreamAttempt>
                {
                    MaxHedgedAttempts = 1,
                    Delay = delay,
                    ShouldHandle = static args => ValueTask.FromResult(args.Outcome.Result is { Failure: not null }),
                    ActionGenerator = static args => DispatchOf(args.PrimaryContext).Hedge(args.ActionContext),
                }
            );
        }
        _pipeline = builder.Build();
    }

    /// <summary>Tries until one try has begun, or no further one is worth it: then the last, with its failure.</summary>
    public async ValueTask<UpstreamAttempt> RunAsync(InferenceDispatch dispatch, CancellationToken cancellationToken)
    {
        if (_hedges)
            return await RunAsync(dispatch, failed: null, cancellationToken);
        // Nearly always one try is all: what decides about further ones is asked only when it has failed.
        var first = await dispatch.TryAsync(cancellationToken);
        return first.Failure is null ? first : await RunAsync(dispatch, first, cancellationToken);
    }

    private async ValueTask<UpstreamAttempt> RunAsync(
        InferenceDispatch dispatch,
        UpstreamAttempt? failed,
        CancellationToken cancellationToken
    )
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        context.Properties.Set(Key, dispatch);
        try
        {
            return await _pipeline.ExecuteAsync(
                c =>
                {
                    // The first try was made already.
                    var made = failed;
                    failed = null;
                    return made is null ? DispatchOf(c).TryAsync(c.CancellationToken) : ValueTask.FromResult(made);
                },
                context
            );
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static InferenceDispatch DispatchOf(ResilienceContext context) =>
        context.Properties.GetValue(Key, defaultValue: null!);
}
