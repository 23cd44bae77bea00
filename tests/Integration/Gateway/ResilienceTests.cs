using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway;

public sealed class ResilienceTests(ResilienceTests.Pairs gateway) : IClassFixture<ResilienceTests.Pairs>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""[{"status":503},{}]""", "upstream-status", false)]
    [InlineData("""[{"status":429,"retry_after":60},{}]""", "upstream-status", false)]
    [InlineData("""[{"cut_after":"request"},{}]""", "upstream-broken", false)]
    [InlineData("""[{"cut_after":"0+20"},{}]""", "upstream-broken", false)]
    [InlineData("""[{"body":"<html>","content_type":"text/html"},{}]""", "upstream-broken", false)]
    [InlineData("""[{"status":401},{}]""", "upstream-credential-refused", false)]
    [InlineData("""[{"status":500},{}]""", "upstream-status", true)]
    [InlineData("""[{"cut_after":0},{}]""", "upstream-broken", true)]
    [InlineData("""[{"error_after":0},{}]""", "upstream-error", true)]
    [InlineData("""[{"end_after":0},{}]""", "upstream-broken", true)]
    public async Task What_fails_before_the_first_byte_is_tried_at_another_deployment(
        string attempts,
        string failure,
        bool stream
    )
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(gateway.Pair(), marker, attempts, stream);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.DoesNotContain("\"error\"", text, StringComparison.Ordinal);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(InferenceStatus.Completed, inference.Status);
        Assert.Equal([failure, null], inference.Attempts!.Select(a => a.Failure));
        Assert.Equal([1, 2], inference.Attempts!.Select(a => a.Number));
        Assert.Equal(2, inference.Attempts!.Select(a => a.Deployment).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(inference.Deployment, inference.Attempts![0].Deployment);
        Assert.Equal(2, gateway.Provider.Requests.Of(marker).Count);
    }

    [Fact]
    public async Task Behind_the_first_byte_nothing_is_tried_again()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(gateway.Pair(), marker, """[{"cut_after":2},{}]""", stream: true);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("\"error\"", text, StringComparison.Ordinal);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal("upstream-broken", inference.Error!.Code);
        Assert.Equal("upstream-broken", Assert.Single(inference.Attempts!).Failure);
        Assert.Single(gateway.Provider.Requests.Of(marker));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(413)]
    [InlineData(422)]
    public async Task What_is_wrong_with_the_request_is_not_tried_elsewhere(int status)
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(gateway.Pair(), marker, $$"""[{"status":{{status}}},{}]""");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Single(gateway.Provider.Requests.Of(marker));
    }

    [Fact]
    public async Task A_lone_deployment_is_tried_again_after_the_wait_that_it_asked_for()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(
            gateway.ModelThatMayFail(),
            marker,
            """[{"status":429,"retry_after":1},{}]"""
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var received = gateway.Provider.Requests.Of(marker);
        Assert.Equal(2, received.Count);
        Assert.True(received[1].ReceivedAt - received[0].ReceivedAt >= TimeSpan.FromSeconds(0.9));
    }

    [Fact]
    public async Task The_last_failure_is_the_answer_when_all_tries_are_spent()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(gateway.Pair(), marker, """[{"status":500},{"status":503}]""");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal([500, 503, 503], inference.Attempts!.Select(a => a.Status));
        Assert.Equal(InferenceStatus.Failed, inference.Status);
    }

    [Fact]
    public async Task A_model_all_of_whose_deployments_rest_is_answered_at_once()
    {
        var model = gateway.ModelThatMayFail();
        using (await AskAsync(model, Guid.NewGuid().ToString(), """[{"status":429,"retry_after":60}]""")) { }
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(model, marker, "[{}]");
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("deployments_unavailable", error["code"]!.GetValue<string>());
        Assert.InRange(
            int.Parse(response.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture),
            1,
            60
        );
        Assert.Empty(gateway.Provider.Requests.Of(marker));
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal((InferenceStatus.Failed, 0), (inference.Status, inference.Attempts!.Count));
    }

    [Fact]
    public async Task Every_429_says_when_to_come_back()
    {
        using var response = await AskAsync(
            gateway.ModelThatMayFail(),
            Guid.NewGuid().ToString(),
            """[{"status":429}]"""
        );

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal("1", response.Headers.GetValues("Retry-After").Single());
    }

    [Fact]
    public async Task A_circuit_opens_when_calls_keep_failing_and_spares_the_provider()
    {
        var model = gateway.ModelThatMayFail();
        for (var i = 0; i < 2; i++)
        {
            using (await AskAsync(model, Guid.NewGuid().ToString(), """[{"status":500}]""")) { }
        }
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync(model, marker, "[{}]");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Empty(gateway.Provider.Requests.Of(marker));
    }

    [Fact]
    public async Task Deployments_of_one_model_share_its_calls()
    {
        var model = gateway.Pair();
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < 60; i++)
        {
            using var response = await AskAsync(model, Guid.NewGuid().ToString(), "[{}]");
            var deployment = (await gateway.InferenceAsync(response, Cancellation)).Deployment;
            counts[deployment] = counts.GetValueOrDefault(deployment) + 1;
        }

        Assert.Equal(2, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 10, 50));
    }

    [Fact]
    public async Task A_client_that_leaves_between_two_tries_leaves_a_cancelled_record()
    {
        var marker = Guid.NewGuid().ToString();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var answering = gateway.PostAsync(
            Body(gateway.ModelThatMayFail(), marker, """[{"status":503,"retry_after":4},{}]""", stream: false),
            leaving.Token,
            r => r.Headers.Add("x-request-id", marker)
        );
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        await received.Finished.WaitAsync(Cancellation);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answering);

        var outcome = await gateway.OutcomeOfRequestAsync(marker, Cancellation);
        Assert.Equal("gateway.inference-cancelled", outcome.Type);
        Assert.Single(gateway.Provider.Requests.Of(marker));
    }

    private Task<HttpResponseMessage> AskAsync(string model, string marker, string attempts, bool stream = false) =>
        gateway.PostAsync(Body(model, marker, attempts, stream), Cancellation);

    private static string Body(string model, string marker, string attempts, bool stream) =>
        $$$"""{"model":"{{{model}}}","messages":[{"role":"user","content":"Hello"}],"stream":{{{(stream ? "true" : "false")}}},"x_upstream":{"marker":"{{{marker}}}","attempts":{{{attempts}}}}}""";

    /// <summary>A Host with models that have two deployments each, one pair for each test.</summary>
    public sealed class Pairs(SharedPostgres postgres) : GatewayHost(postgres)
    {
        private const int Count = 20;

        private int _used;

        /// <summary>A model with two deployments that no other test uses.</summary>
        public string Pair() =>
            Interlocked.Increment(ref _used) is var number and <= Count
                ? $"pair-{number}"
                : throw new InvalidOperationException("There are not enough pairs.");

        protected override IDictionary<string, string> Settings(Uri provider)
        {
            var settings = base.Settings(provider);
            for (var i = 1; i <= Count; i++)
            {
                foreach (var side in (string[])["a", "b"])
                {
                    settings[$"Gateway:Deployments:pair-{i}{side}:BaseUrl"] = provider.ToString();
                    settings[$"Gateway:Deployments:pair-{i}{side}:Model"] = $"pair-{i}";
                }
            }
            return settings;
        }
    }
}
