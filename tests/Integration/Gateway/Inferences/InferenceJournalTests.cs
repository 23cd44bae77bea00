using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Messaging;

namespace Verbatim.Tests.Integration.Gateway.Inferences;

public sealed class InferenceJournalTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_outcome_is_recorded_without_what_cannot_be_written_beside_it()
    {
        var journal = gateway.Host.Services.GetRequiredService<InferenceJournal>();
        var context = new AppendContext(Guid.CreateVersion7(), "user:a-test", "a-request");
        var id = Guid.CreateVersion7();
        await journal.StartAsync(
            context,
            id,
            new InferenceStarted(
                "chat-completions",
                "gpt-fake",
                "fake",
                "openai-compatible",
                Stream: false,
                Guid.CreateVersion7(),
                ProjectId: null,
                journal.Instance,
                ClientRequestId: null,
                RecordingLevel.Metadata,
                RequestDigest: null,
                Request: null
            ),
            Cancellation
        );
        Assert.False(journal.HasNoneOpen);

        await Assert.ThrowsAnyAsync<PostgresException>(() =>
            journal.FinishAsync(
                context with
                {
                    Also = new SqlWrite("insert into gateway.responses (tenant_id) values ($1)", context.TenantId),
                },
                id,
                new InferenceCancelled(
                    [],
                    Usage: null,
                    Cost: null,
                    new Latency(null, 0),
                    ResponseDigest: null,
                    Response: null
                )
            )
        );

        await Eventually.UntilAsync(() => journal.HasNoneOpen);
        var events = gateway.Host.Services.GetRequiredService<EventStore>();
        var types = await events
            .ReadStreamAsync(context.TenantId, id, 1, Cancellation)
            .Select(static e => e.Type)
            .ToListAsync(Cancellation);
        Assert.Equal(["gateway.inference-started", "gateway.inference-cancelled"], types);
    }
}
