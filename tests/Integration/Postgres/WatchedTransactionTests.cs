using Npgsql;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

public sealed class WatchedTransactionTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_watches_the_transaction_and_nothing_after_it()
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Cancelled);
        var before = await ReadTimeoutAsync(connection);
        await using (var transaction = await connection.BeginWatchedAsync(Cancelled))
        {
            Assert.Equal("10s", await ReadTimeoutAsync(connection));
            await transaction.CommitAsync(Cancelled);
        }

        Assert.NotEqual("10s", before);
        Assert.Equal(before, await ReadTimeoutAsync(connection));
    }

    private static async Task<string> ReadTimeoutAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("show idle_in_transaction_session_timeout", connection);
        return (string)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
