using System.Globalization;
using Npgsql;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

public sealed class EmbeddedPostgresCrashTests : IDisposable
{
    private readonly TemporaryHome _home = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private EmbeddedPostgresOptions Options => new() { Home = _home.Path };

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task When_Host_is_killed_the_server_stops_by_itself()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await using var host = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);
        var server = int.Parse(await host.ReadLineAsync(Cancel), CultureInfo.InvariantCulture);
        var supervisor = Servers.ParentOf(server);
        await Servers.ExecuteAsync(await host.ReadLineAsync(Cancel), "CREATE TABLE t AS SELECT 42 AS answer", Cancel);

        await host.KillAsync(Cancel);

        await Servers.EndOfAsync(server, Cancel);
        await Servers.EndOfAsync(supervisor, Cancel);
        Assert.False(File.Exists(_home.File("postgres/data/postmaster.pid")));
        await using var next = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.Equal(42, await QueryAsync<int>(next, "SELECT answer FROM t"));
    }

    [Fact]
    public async Task A_start_right_after_Host_was_killed_waits_for_the_old_server()
    {
        await using var host = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);
        var old = int.Parse(await host.ReadLineAsync(Cancel), CultureInfo.InvariantCulture);
        await Servers.ExecuteAsync(await host.ReadLineAsync(Cancel), "CREATE TABLE t AS SELECT 42 AS answer", Cancel);

        await host.KillAsync(Cancel);

        await using var next = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.NotEqual(old, next.ProcessId);
        Assert.Equal(42, await QueryAsync<int>(next, "SELECT answer FROM t"));
    }

    [Fact]
    public async Task A_server_whose_supervisor_was_killed_too_is_stopped_by_the_next_start()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await using var host = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);
        var old = int.Parse(await host.ReadLineAsync(Cancel), CultureInfo.InvariantCulture);
        foreach (var child in Servers.ChildrenOf(Servers.ParentOf(old)).Where(child => child != old))
            Servers.Kill(child);
        Servers.Kill(Servers.ParentOf(old));
        await host.KillAsync(Cancel);

        await using var next = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.False(Servers.IsRunning(old));
        Assert.Equal(1, await QueryAsync<int>(next, "SELECT 1"));
    }

    [Fact]
    public async Task When_the_server_is_killed_under_load_it_is_restarted_with_everything_that_was_committed()
    {
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        await Servers.ExecuteAsync(server.ConnectionString, "CREATE TABLE t (a bigint PRIMARY KEY)", Cancel);
        var restarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Restarted += (_, _) => restarted.TrySetResult();
        var old = server.ProcessId;
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long committed = 0;

        var writers = Enumerable.Range(0, 8).Select(writer => WriteUntilItFailsAsync(writer)).ToList();
        await enough.Task.WaitAsync(Cancel);
        Servers.Kill(old);
        await Task.WhenAll(writers);
        await restarted.Task.WaitAsync(Cancel);

        Assert.NotEqual(old, server.ProcessId);
        // A transaction may have been committed whose confirmation was lost, one per writer.
        Assert.InRange(await QueryAsync<long>(server, "SELECT count(*) FROM t"), committed, committed + writers.Count);

        async Task WriteUntilItFailsAsync(long writer)
        {
            await using var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false");
            await connection.OpenAsync(Cancel);
            try
            {
                for (var i = 0L; ; i++)
                {
                    await using var insert = new NpgsqlCommand("INSERT INTO t VALUES ($1)", connection);
                    insert.Parameters.Add(new() { Value = (writer << 32) + i });
                    await insert.ExecuteNonQueryAsync(Cancel);
                    if (Interlocked.Increment(ref committed) == 200)
                        enough.SetResult();
                }
            }
            catch (NpgsqlException) { }
        }
    }

    [Fact]
    public async Task When_only_the_supervisor_is_killed_the_server_is_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        var restarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Restarted += (_, _) => restarted.TrySetResult();
        var old = server.ProcessId;

        Servers.Kill(Servers.ParentOf(old));

        await restarted.Task.WaitAsync(Cancel);
        Assert.False(Servers.IsRunning(old));
        Assert.Equal(1, await QueryAsync<int>(server, "SELECT 1"));
    }

    [Fact]
    public async Task A_first_start_that_was_killed_half_way_is_begun_again()
    {
        await using var host = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);
        while (!IsInitializing())
            await Task.Delay(1, Cancel);
        await host.KillAsync(Cancel);
        Assert.False(Directory.Exists(_home.File("postgres/data")));

        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.Equal(1, await QueryAsync<int>(server, "SELECT 1"));

        bool IsInitializing() =>
            Directory.Exists(_home.File("postgres"))
            && Directory
                .EnumerateDirectories(_home.File("postgres"), "initializing-*")
                .Any(folder => File.Exists(Path.Combine(folder, "PG_VERSION")));
    }

    [Fact]
    public async Task A_process_id_that_belongs_to_another_program_by_now_is_not_in_the_way()
    {
        await using (await EmbeddedPostgres.StartAsync(Options, Cancel)) { }
        // As after a crash of a container, whose processes get the same small numbers each time.
        await File.WriteAllTextAsync(
            _home.File("postgres/data/postmaster.pid"),
            $"{Environment.ProcessId}\n{_home.File("postgres/data")}\n1700000000\n5432\n/tmp\n\n0 0\nready   \n",
            Cancel
        );
        await File.WriteAllTextAsync(
            _home.File("postgres/socket/.s.PGSQL.5432.lock"),
            $"{Environment.ProcessId}\n{_home.File("postgres/data")}\n1700000000\n5432\n/tmp\n",
            Cancel
        );

        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.Equal(1, await QueryAsync<int>(server, "SELECT 1"));
    }

    private static Task<T> QueryAsync<T>(EmbeddedPostgres server, string sql) =>
        Servers.QueryAsync<T>(server.ConnectionString, sql, Cancel);
}
