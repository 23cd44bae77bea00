using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>Clients that go away, and clients that do not read.</summary>
public sealed class AbandonedStreamTests(DrainingHost draining, GatewayHost gateway)
    : IClassFixture<DrainingHost>,
        IClassFixture<GatewayHost>
{
    // More than the buffers of all sockets on the way take, and than an event does.
    private const int Pieces = 60_000;
    private const int PieceBytes = 1000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_paid_for_is_taken_to_its_end_where_the_setting_says_so()
    {
        var marker = Guid.NewGuid().ToString();
        var response = await draining.PostAsync(Ask(marker, """{"chunks":9,"hold_after":[3]}"""), Cancellation);
        var received = await draining.Provider.Requests.FirstAsync(marker, Cancellation);
        await received.EventsAsync(3, Cancellation);
        var id = Guid.Parse(response.Headers.GetValues(GatewayHost.InferenceIdHeader).Single());

        // The client is gone before the rest is made.
        response.Dispose();
        received.Release();

        var outcome = await draining.OutcomeOfAsync(id, Cancellation);
        await received.Finished;
        Assert.Equal(ExchangeOutcome.Answered, received.Outcome);
        // Whether the client was missed before the end of it.
        Assert.True(outcome.Type is "gateway.inference-cancelled" or "gateway.inference-completed", outcome.Type);
        var data = await draining.DataAsync(outcome, Cancellation);
        Assert.Equal(
            "Hello! How can I assist you today?",
            data["response"]!["choices"]![0]!["message"]!["content"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_the_provider_back()
    {
        var marker = Guid.NewGuid().ToString();
        var text = new string('a', PieceBytes);
        using var response = await gateway.PostAsync(
            Ask(marker, $$"""{"chunks":{{Pieces}},"chunk_text":"{{text}}"}"""),
            Cancellation
        );
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);

        // Until nothing more goes out.
        long before;
        do
        {
            before = received.BytesWritten;
            await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        } while (received.BytesWritten != before);
        Assert.Equal(ExchangeOutcome.Pending, received.Outcome);
        Assert.InRange(before, 1, (long)Pieces * PieceBytes * 3 / 4);

        // It was slow, and nothing of it is lost.
        await using var stream = await response.Content.ReadAsStreamAsync(Cancellation);
        long all = 0;
        var buffer = new byte[64 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, Cancellation)) > 0; )
            all += read;
        Assert.Equal(received.BytesWritten, all);
        // So long an answer does not fit into an event.
        var outcome = (await gateway.RecordOfAsync(response, Cancellation))[^1];
        Assert.Equal("gateway.inference-completed", outcome.Type);
        var data = await gateway.DataAsync(outcome, Cancellation);
        Assert.Null(data["response"]);
        Assert.InRange(data["responseDigest"]!["bytes"]!.GetValue<long>(), (long)Pieces * PieceBytes, all);
    }

    private static string Ask(string marker, string commands) =>
        $$"""{"model":"gpt-fake","messages":[{"role":"user","content":"Hello"}],"stream":true,"stream_options":{"include_usage":true},"user":"{{marker}}","x_upstream":{{commands}}}""";
}

/// <summary>A Host that takes answers to their end when their caller has gone.</summary>
public sealed class DrainingHost(SharedPostgres postgres) : GatewayHost(postgres)
{
    protected override IDictionary<string, string> Settings(Uri provider)
    {
        var settings = base.Settings(provider);
        settings["Gateway:DrainAbandoned"] = "true";
        return settings;
    }
}
