using System.Net;
using System.Net.Sockets;
using Npgsql;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>What Npgsql's time-outs mean, of which only the words differ.</summary>
public sealed class FailureTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_that_takes_too_long_is_its_handlers_own_fault()
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand("select pg_sleep(60)");
        command.CommandTimeout = 1;

        var e = await Assert.ThrowsAsync<NpgsqlException>(() => command.ExecuteNonQueryAsync(Cancelled));

        Assert.False(Failure.IsOfTheDatabase(e), e.ToString());
        Assert.False(Failure.IsOfConnecting(e), e.ToString());
    }

    [Fact]
    public async Task An_exhausted_pool_is_no_handlers_fault()
    {
        await using var source = NpgsqlDataSource.Create($"{database.ConnectionString};Maximum Pool Size=1;Timeout=1");
        await using var taken = await source.OpenConnectionAsync(Cancelled);

        await AssertIsOfConnectingAsync(source);
    }

    [Fact]
    public async Task A_server_that_answers_no_connection_in_time_is_no_handlers_fault()
    {
        // Nobody accepts: the kernel completes the connection, and no byte of an answer comes.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        await using var source = NpgsqlDataSource.Create($"Host=127.0.0.1;Port={port};Username=nobody;Timeout=1");

        await AssertIsOfConnectingAsync(source);
    }

    private static async Task AssertIsOfConnectingAsync(NpgsqlDataSource source)
    {
        var e = await Assert.ThrowsAsync<NpgsqlException>(async () => await source.OpenConnectionAsync(Cancelled));

        Assert.True(Failure.IsOfTheDatabase(e), e.ToString());
        Assert.True(Failure.IsOfConnecting(e), e.ToString());
    }
}
