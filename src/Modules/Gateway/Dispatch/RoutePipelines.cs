using Polly;
using Polly.Hedging;
using Polly.Retry;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>How often and when a call is tried again, for a route.</summary>
internal static class RoutePipelines
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly ResiliencePropertyKey<InferenceDispatch> Key = new("dispatch");

    /// <summary>
    /// Another deployment is tried at once; the same one after a wait that doubles, with jitter, or as long as the provider asked for.
    /// </summary>
    /// <param name="maxAttempts">The most tries of a call.</param>
    /// <param name="hedgeAfter">When a second deployment is asked beside a first that is silent; null for never.</param>
    /// <param name="time">Waits.</param>
    public static ResiliencePipeline<UpstreamAttempt> Build(int maxAttempts, TimeSpan? hedgeAfter, TimeProvider time)
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
        return builder.Build();
    }

    /// <summary>Runs a call through its route's pipeline.</summary>
    public static async ValueTask<UpstreamAttempt> RunAsync(
        ResiliencePipeline<UpstreamAttempt> pipeline,
        InferenceDispatch dispatch,
        CancellationToken cancellationToken
    )
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, cancellationToken);
        context.Properties.Set(Key, dispatch);
        try
        {
            return await pipeline.ExecuteAsync(static c => DispatchOf(c).TryAsync(c.CancellationToken), context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static InferenceDispatch DispatchOf(ResilienceContext context) =>
        context.Properties.GetValue(Key, defaultValue: null!);
}
