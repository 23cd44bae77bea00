using System.Diagnostics;
using System.Net;

namespace Verbatim.Tests.Integration.Identity;

public sealed class PrincipalCacheTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_principal_that_is_known_costs_no_read_of_the_database(bool isByToken)
    {
        using var client = isByToken
            ? await host.AsAdministratorAsync(Cancellation)
            : host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));
        using var first = await client.GetAsync("/v1/models", Cancellation);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);

        var trace = ActivityTraceId.CreateRandom();
        client.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        var statements = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                // What a request of this test causes is of its trace; others run beside it in this process.
                if (activity.Source.Name == "Npgsql" && activity.TraceId == trace)
                    lock (statements)
                        statements.Add(activity.DisplayName);
            },
        };
        ActivitySource.AddActivityListener(listener);
        for (var i = 0; i < 200; i++)
        {
            using var answer = await client.GetAsync("/v1/models", Cancellation);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        Assert.Empty(statements);

        // The listener does hear of a request that reads.
        using var reading = await client.GetAsync("/api/me", Cancellation);
        Assert.NotEmpty(statements);
    }
}
