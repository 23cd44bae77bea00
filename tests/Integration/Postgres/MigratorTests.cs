using Npgsql;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

public sealed class MigratorTests(SharedPostgres server)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Several_instances_may_bring_the_schema_up_to_date_at_once()
    {
        var connectionString = await server.CreateDatabaseAsync(Cancelled);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => MigratedDatabase.MigrateAsync(connectionString)));

        await using var database = new Database(connectionString);
        await using var count = database.Writes.CreateCommand(
            "select count(*) from platform.migrations where name = 'Verbatim.Platform/0001-event-log.sql'"
        );
        Assert.Equal(1L, await count.ExecuteScalarAsync(Cancelled));
        // The lock went with the connection, so the next start does not wait.
        await MigratedDatabase.MigrateAsync(connectionString);
    }

    [Fact]
    public async Task A_migration_that_was_changed_after_it_was_applied_is_refused_by_name()
    {
        var connectionString = await server.CreateDatabaseAsync(Cancelled);
        await MigratedDatabase.MigrateAsync(connectionString);
        await using var database = new Database(connectionString);
        await using (
            var change = database.Writes.CreateCommand(
                "update platform.migrations set sha256 = 'another' where name like '%0002-subscriptions.sql'"
            )
        )
            await change.ExecuteNonQueryAsync(Cancelled);

        var e = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            MigratedDatabase.MigrateAsync(connectionString)
        );
        Assert.Contains("Verbatim.Platform/0002-subscriptions.sql was changed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_hosts_the_one_that_answers_is_used()
    {
        var settings = new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync(Cancelled));
        settings.Host = $"/nowhere,{settings.Host}";
        await using var database = new Database(settings.ConnectionString);

        await using var ask = database.Writes.CreateCommand("select pg_is_in_recovery()");
        Assert.Equal(false, await ask.ExecuteScalarAsync(Cancelled));
        await using var dedicated = await database.Dedicated.OpenConnectionAsync(Cancelled);
    }
}
