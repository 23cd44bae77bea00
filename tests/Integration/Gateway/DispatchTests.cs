using System.Text;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>The tries of a call against real connections, without a host around them.</summary>
public sealed class DispatchTests : IAsyncLifetime
{
    private FakeProvider _upstream = null!;
    private Provider _provider = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _upstream = await FakeProvider.StartAsync(cancellationToken: Cancellation);
        var wait = TimeSpan.FromSeconds(10);
        _provider = new Provider(
            new ProviderSettings(
                Guid.CreateVersion7(),
                "fake",
                ProviderKind.OpenAiCompatible,
                _upstream.BaseAddress.ToString().TrimEnd('/'),
                ApiVersion: null,
                wait
            ),
            "sk-fake",
            Provider.OverNetwork(wait, allowPrivate: true)
        );
    }

    public async ValueTask DisposeAsync()
    {
        _provider.Dispose();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_silent_deployment_is_hedged_by_another_and_given_up()
    {
        var marker = Guid.NewGuid().ToString();
        using var dispatch = Dispatch(
            [Deployment("a"), Deployment("b")],
            Body(marker, """[{"hold_after":"request"},{}]"""),
            hedgeAfter: TimeSpan.FromMilliseconds(50)
        );
        var answered = await dispatch.RunAsync();

        Assert.Null(answered.Failure);
        Assert.Equal(2, answered.Number);
        Assert.Equal(2, dispatch.Attempts.Select(a => a.Deployment.Name).Distinct(StringComparer.Ordinal).Count());
        var first = await _upstream.Requests.FirstAsync(marker, Cancellation);
        await first.Finished.WaitAsync(Cancellation);
        Assert.NotNull(first.ClientLeftAt);
        // The answer may be relayed for an hour: only its own place is taken meanwhile.
        await Eventually.UntilAsync(() => dispatch.Attempts.Sum(static a => a.Deployment.Health.InFlight) == 1);
        Assert.Equal(1, answered.Deployment.Health.InFlight);
        Assert.Equal("superseded", dispatch.Attempts[0].Failure!.Code);
    }

    [Fact]
    public async Task A_deployment_that_answers_in_time_is_not_hedged()
    {
        var marker = Guid.NewGuid().ToString();
        using var dispatch = Dispatch(
            [Deployment("a"), Deployment("b")],
            Body(marker, "[{}]"),
            hedgeAfter: TimeSpan.FromMinutes(1)
        );
        var answered = await dispatch.RunAsync();

        Assert.Equal(1, answered.Number);
        Assert.Single(dispatch.Attempts);
    }

    [Fact]
    public async Task Beyond_its_places_and_its_queue_a_deployment_is_busy()
    {
        var deployment = Deployment("a", maxConcurrency: 1, maxQueue: 1);
        var marker = Guid.NewGuid().ToString();
        using var first = Dispatch([deployment], Body(marker, """[{"hold_after":"request"},{}]"""));
        using var second = Dispatch([deployment], Body(Guid.NewGuid().ToString(), "[{}]"));
        using var third = Dispatch([deployment], Body(Guid.NewGuid().ToString(), "[{}]"));

        var running = first.RunAsync();
        var received = await _upstream.Requests.FirstAsync(marker, Cancellation);
        var waiting = second.RunAsync();
        var refused = await third.RunAsync();
        Assert.Equal(("deployment-busy", 429), (refused.Failure!.Code, refused.Failure.Status));
        Assert.NotNull(refused.Failure.RetryAfter);
        Assert.False(waiting.IsCompleted);

        received.Release();
        (await running).End();
        Assert.Null((await waiting).Failure);
    }

    [Fact]
    public async Task A_busy_deployment_leaves_the_call_to_another()
    {
        var busy = Deployment("a", maxConcurrency: 1);
        var free = Deployment("b");
        var marker = Guid.NewGuid().ToString();
        using var first = Dispatch([busy], Body(marker, """[{"hold_after":"request"}]"""));
        var running = first.RunAsync();
        var received = await _upstream.Requests.FirstAsync(marker, Cancellation);

        // Of two tries one at least comes to the busy one first.
        for (var i = 0; i < 4; i++)
        {
            using var other = Dispatch([busy, free], Body(Guid.NewGuid().ToString(), "[{}]"));
            var answered = await other.RunAsync();
            Assert.Null(answered.Failure);
            Assert.Equal("b", answered.Deployment.Name);
        }
        received.Release();
        await running;
    }

    [Fact]
    public async Task An_open_circuit_lets_one_call_through_after_a_while_and_closes_when_it_succeeds()
    {
        var time = new LeapingTime();
        var deployment = Deployment("a", time: time);
        await FailAsync(deployment, time);
        Assert.True(deployment.Health.Unavailable() > TimeSpan.Zero);

        time.Leap(TimeSpan.FromSeconds(16));
        Assert.Equal(TimeSpan.Zero, deployment.Health.Unavailable());
        using var probe = Dispatch([deployment], Body(Guid.NewGuid().ToString(), "[{}]"), time: time);
        Assert.Null((await probe.RunAsync()).Failure);
        Assert.Equal(Polly.CircuitBreaker.CircuitState.Closed, deployment.Health.Circuit);
    }

    [Fact]
    public async Task A_probe_whose_caller_hangs_up_leaves_the_circuit_open()
    {
        var time = new LeapingTime();
        var deployment = Deployment("a", time: time);
        await FailAsync(deployment, time);
        time.Leap(TimeSpan.FromSeconds(16));

        var marker = Guid.NewGuid().ToString();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var probe = Dispatch(
            [deployment],
            Body(marker, """[{"hold_after":"request"}]"""),
            time: time,
            callEnds: leaving.Token
        );
        var asking = probe.RunAsync();
        await _upstream.Requests.FirstAsync(marker, Cancellation);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await asking);

        Assert.Equal(Polly.CircuitBreaker.CircuitState.Open, deployment.Health.Circuit);
        Assert.Equal(0, deployment.Health.InFlight);
    }

    // As often as opens its circuit.
    private static async Task FailAsync(Deployment deployment, TimeProvider time)
    {
        for (var i = 0; i < 5; i++)
        {
            using var failing = Dispatch(
                [deployment],
                Body(Guid.NewGuid().ToString(), """[{"status":500}]"""),
                time: time
            );
            await failing.RunAsync();
        }
    }

    private Deployment Deployment(
        string name,
        int? maxConcurrency = null,
        int maxQueue = 0,
        TimeProvider? time = null
    ) =>
        new(
            new DeploymentSettings(Guid.CreateVersion7(), name, _provider.Settings.Id, "gpt-fake", UpstreamModel: null),
            _provider,
            new DeploymentHealth(maxConcurrency, maxQueue, time ?? TimeProvider.System)
        );

    private static InferenceDispatch Dispatch(
        Deployment[] deployments,
        string body,
        TimeSpan? hedgeAfter = null,
        TimeProvider? time = null,
        CancellationToken? callEnds = null
    )
    {
        time ??= TimeProvider.System;
        Assert.True(CallerWire.ChatCompletions.TryRead(Encoding.UTF8.GetBytes(body), out var request, out _));
        var route = new Route(
            "gpt-fake",
            [
                [.. deployments.Select(d => new WeightedDeployment(d, 1))],
            ],
            new RoutePipeline(maxAttempts: 1 + (hedgeAfter is null ? deployments.Length - 1 : 0), hedgeAfter, time)
        );
        var order = new InferenceOrder(CallerWire.ChatCompletions, request!, route, headers: null)
        {
            Identity = new AnswerIdentity(Guid.CreateVersion7(), time.GetUtcNow()),
        };
        var picker = new Picker(order);
        Assert.True(picker.TryNext(out var first));
        return new InferenceDispatch(order, picker, first, time, callEnds ?? Cancellation);
    }

    private static string Body(string marker, string attempts) =>
        $$$"""{"model":"gpt-fake","messages":[{"role":"user","content":"Hello"}],"x_upstream":{"marker":"{{{marker}}}","attempts":{{{attempts}}}}}""";

    /// <summary>The real clock, which can be put forward.</summary>
    private sealed class LeapingTime : TimeProvider
    {
        private TimeSpan _ahead;

        public void Leap(TimeSpan by) => _ahead += by;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _ahead;

        public override long GetTimestamp() => System.GetTimestamp() + (long)(_ahead.TotalSeconds * TimestampFrequency);
    }
}
