using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Retentions;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Inferences;

/// <summary>What tests of retention do: calls that are old, and what removes them at a later time.</summary>
internal sealed class RetentionSteps(GatewayHost gateway)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static object Wanted(int? fullDays, int? metadataDays) =>
        new { inferences = new { fullDays, metadataDays } };

    public async Task<Guid> CallAsync(string word)
    {
        using var response = await gateway.PostAsync(
            $$"""{"model":"gpt-fake","messages":[{"role":"user","content":"{{word}}"}]}""",
            Cancellation
        );
        await response.Content.ReadAsByteArrayAsync(Cancellation);
        return Guid.Parse(response.Headers.GetValues(GatewayHost.InferenceIdHeader).Single());
    }

    // A call by an instance whose clock showed a day in the past.
    public async Task<Guid> RecordAsync(string word, int daysAgo)
    {
        var services = gateway.Host.Services;
        var events = new EventStore(
            services.GetRequiredService<EventCatalog>(),
            services.GetRequiredService<DocumentCatalog>(),
            new SubjectKeys(
                services.GetRequiredService<Database>(),
                services.GetRequiredService<MasterKey>(),
                new Later(-daysAgo),
                TimeSpan.FromSeconds(15)
            ),
            services.GetRequiredService<LogWriter>(),
            services.GetRequiredService<LogReader>()
        );
        var (id, user) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await events.AppendAsync(
            new AppendContext(await TenantAsync(), $"user:{user}", "") { Subject = user },
            new StreamEvents(
                "inference",
                id,
                0,
                [
                    new InferenceStarted(
                        "openai.chat-completions",
                        "gpt-fake",
                        "fake",
                        "openai",
                        Stream: false,
                        user,
                        ProjectId: null,
                        Guid.CreateVersion7(),
                        ClientRequestId: null,
                        RecordingLevel.Full,
                        RequestDigest: null,
                        new RawJson(Encoding.UTF8.GetBytes($"\"{word}\""))
                    ),
                ]
            ),
            Cancellation
        );
        await AgeAsync(id, daysAgo);
        return id;
    }

    // The log does not let itself be dated back; a test's may.
    public async Task AgeAsync(Guid id, int days)
    {
        await using var source = NpgsqlDataSource.Create(gateway.Host.ConnectionString);
        await using var command = source.CreateCommand(
            $"update platform.events set time = time - interval '{days} days' where stream_id = '{id}'"
        );
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public Task SweepAsync(int days) =>
        new RetentionSweeper(
            gateway.Host.Services.GetRequiredService<Database>(),
            gateway.Host.Services.GetRequiredService<EventStore>(),
            gateway.Host.Services.GetRequiredService<PersonalDays>(),
            new Later(days),
            NullLogger<RetentionSweeper>.Instance
        ).SweepAsync(Cancellation);

    public async Task<long> QueryAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(gateway.Host.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    public async Task<Guid> TenantAsync()
    {
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        return (await administrator.GetJsonAsync("/api/me"))["organizationId"]!.GetValue<Guid>();
    }

    /// <summary>A clock that is so many days ahead.</summary>
    internal sealed class Later(int days) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(days);
    }
}
