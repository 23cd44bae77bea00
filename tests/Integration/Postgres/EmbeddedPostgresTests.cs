using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Npgsql;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

[UnsupportedOSPlatform("windows")]
public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly TemporaryHome _home = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private EmbeddedPostgresOptions Options => new() { Home = _home.Path };

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task A_first_start_creates_a_database_that_its_own_role_owns()
    {
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);

        Assert.True(server.IsOwner);
        Assert.Equal(
            "verbatim verbatim verbatim UTF8 C on",
            await QueryAsync<string>(
                server,
                """
                SELECT concat_ws(' ', current_user, datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding),
                                 datcollate, current_setting('data_checksums'))
                FROM pg_database WHERE datname = current_database()
                """
            )
        );
        await Servers.ExecuteAsync(server.ConnectionString, "CREATE EXTENSION pg_trgm; CREATE TABLE t (a int)", Cancel);
        Assert.Equal(
            "on",
            await Servers.QueryAsync<string>(
                server.AdministratorConnectionString,
                "SELECT current_setting('is_superuser')",
                Cancel
            )
        );
    }

    [Fact]
    public async Task Commits_wait_for_the_disk()
    {
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        var settings = await QueryAsync<string>(
            server,
            "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings "
                + "WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
        );
        Assert.Equal("fsync=on full_page_writes=on synchronous_commit=on", settings);
    }

    [Fact]
    public async Task Data_is_there_after_a_restart()
    {
        await using (var server = await EmbeddedPostgres.StartAsync(Options, Cancel))
            await Servers.ExecuteAsync(server.ConnectionString, "CREATE TABLE t AS SELECT 42 AS answer", Cancel);
        await using (var server = await EmbeddedPostgres.StartAsync(Options, Cancel))
            Assert.Equal(42, await QueryAsync<int>(server, "SELECT answer FROM t"));
    }

    [Fact]
    public async Task The_server_is_gone_when_disposing_returns()
    {
        int processId;
        await using (var server = await EmbeddedPostgres.StartAsync(Options, Cancel))
        {
            processId = server.ProcessId;
            // An open connection does not hold it up.
            await using var connection = new NpgsqlConnection(server.ConnectionString);
            await connection.OpenAsync(Cancel);
            await server.DisposeAsync();
        }
        Assert.False(Servers.IsRunning(processId));
        Assert.False(File.Exists(_home.File("postgres/data/postmaster.pid")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_home.File("postgres/socket")));
    }

    [Fact]
    public async Task A_second_start_on_the_same_home_is_refused()
    {
        await using var first = await EmbeddedPostgres.StartAsync(Options, Cancel);

        var e = await Assert.ThrowsAsync<EmbeddedPostgresInUseException>(() =>
            EmbeddedPostgres.StartAsync(Options, Cancel)
        );
        Assert.Equal(
            $"The Verbatim home {_home.Path} is in use by another Verbatim (process {Environment.ProcessId}). "
                + "Stop that one first, or set VERBATIM_HOME to another folder.",
            e.Message
        );
        Assert.Equal(1, await QueryAsync<int>(first, "SELECT 1"));
    }

    [Fact]
    public async Task A_second_process_on_the_same_home_is_refused()
    {
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        await using var child = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);

        Assert.Contains($"{_home.Path} is in use", await child.ReadLineAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(1, await child.StopAsync(Cancel));
    }

    [Fact]
    public async Task A_command_uses_the_server_that_runs_and_does_not_stop_it()
    {
        await using var child = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);
        var processId = int.Parse(await child.ReadLineAsync(Cancel), CultureInfo.InvariantCulture);

        await using (var command = await EmbeddedPostgres.ConnectOrStartAsync(Options, Cancel))
        {
            Assert.False(command.IsOwner);
            Assert.Equal(await child.ReadLineAsync(Cancel), command.ConnectionString);
            Assert.Equal(1, await QueryAsync<int>(command, "SELECT 1"));
        }

        Assert.True(Servers.IsRunning(processId));
        Assert.Equal(0, await child.StopAsync(Cancel));
        Assert.False(Servers.IsRunning(processId));
    }

    [Fact]
    public async Task A_command_waits_for_a_server_that_is_starting()
    {
        await using var child = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path]);
        while (HomeLock.Holder(_home.File("postgres/lock")) != child.Id)
            await Task.Delay(5, Cancel);

        await using var command = await EmbeddedPostgres.ConnectOrStartAsync(Options, Cancel);
        Assert.False(command.IsOwner);
        Assert.Equal(1, await QueryAsync<int>(command, "SELECT 1"));
    }

    [Fact]
    public async Task A_command_without_a_running_server_starts_one_and_stops_it()
    {
        int processId;
        await using (var command = await EmbeddedPostgres.ConnectOrStartAsync(Options, Cancel))
        {
            Assert.True(command.IsOwner);
            processId = command.ProcessId;
        }
        Assert.False(Servers.IsRunning(processId));
    }

    [Fact]
    public async Task It_listens_on_no_port_and_believes_no_name()
    {
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.Equal("", await QueryAsync<string>(server, "SHOW listen_addresses"));
        await Servers.ExecuteAsync(server.AdministratorConnectionString, "CREATE ROLE stranger LOGIN", Cancel);

        var stranger = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Username = "stranger" };
        var e = await Assert.ThrowsAsync<PostgresException>(() =>
            Servers.QueryAsync<int>(stranger.ConnectionString, "SELECT 1", Cancel)
        );
        Assert.Equal(PostgresErrorCodes.InvalidAuthorizationSpecification, e.SqlState);
    }

    [Fact]
    public async Task Ctrl_C_in_the_terminal_does_not_reach_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.NotEqual(Servers.SessionOf(Environment.ProcessId), Servers.SessionOf(server.ProcessId));
    }

    [Fact]
    public async Task Settings_win_over_the_built_in_ones()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["max_connections"] = "17",
            ["application_name"] = @"it's a \ name",
        };
        await using var server = await EmbeddedPostgres.StartAsync(Options with { Settings = settings }, Cancel);
        Assert.Equal("17", await QueryAsync<string>(server, "SHOW max_connections"));
        Assert.Equal(
            @"it's a \ name",
            await QueryAsync<string>(server, "SELECT reset_val FROM pg_settings WHERE name = 'application_name'")
        );
    }

    [Fact]
    public async Task A_wrong_setting_is_named()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_buffers"] = "much" };
        var e = await Assert.ThrowsAsync<EmbeddedPostgresException>(() =>
            EmbeddedPostgres.StartAsync(Options with { Settings = settings }, Cancel)
        );
        Assert.Contains("shared_buffers", e.Message, StringComparison.Ordinal);

        // Nothing is left that would be in the way.
        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.Equal(1, await QueryAsync<int>(server, "SELECT 1"));
    }

    [Fact]
    public async Task A_home_with_a_long_path_gets_a_short_private_socket_folder()
    {
        var home = _home.File(string.Join('/', Enumerable.Repeat("a rather long name, with 'quotes'", 5)));
        for (
            var folder = home;
            folder.StartsWith(_home.Path, StringComparison.Ordinal);
            folder = Path.GetDirectoryName(folder)!
        )
            Cluster.CreateFolder(folder);
        string socket;
        await using (var server = await EmbeddedPostgres.StartAsync(Options with { Home = home }, Cancel))
        {
            socket = new NpgsqlConnectionStringBuilder(server.ConnectionString).Host!;
            Assert.DoesNotContain(_home.Path, socket, StringComparison.Ordinal);
            Assert.Equal(1, await QueryAsync<int>(server, "SELECT 1"));
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(socket)
            );
        }
        Assert.False(Directory.Exists(socket));
    }

    [Fact]
    public async Task A_data_folder_with_something_else_in_it_is_left_alone()
    {
        Cluster.CreateFolder(_home.Path);
        Directory.CreateDirectory(_home.File("postgres/data"));
        await File.WriteAllTextAsync(_home.File("postgres/data/diary.txt"), "", Cancel);
        var e = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => EmbeddedPostgres.StartAsync(Options, Cancel));
        Assert.Contains("Move it away", e.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_home.File("postgres/data/diary.txt")));
    }

    [Fact]
    public async Task The_log_is_bounded()
    {
        await (await EmbeddedPostgres.StartAsync(Options, Cancel)).DisposeAsync();
        await File.WriteAllBytesAsync(_home.File("postgres/server.log"), new byte[9_000_000], Cancel);

        await using var server = await EmbeddedPostgres.StartAsync(Options, Cancel);
        Assert.InRange(new FileInfo(_home.File("postgres/server.log")).Length, 0, 10_000);
        Assert.Equal(9_000_000, new FileInfo(_home.File("postgres/server.log.1")).Length);
    }

    [Fact]
    public async Task Root_is_told_when_the_server_s_user_cannot_enter_the_home()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root runs it as another user");
        File.SetUnixFileMode(_home.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var e = await Assert.ThrowsAsync<EmbeddedPostgresException>(() =>
            EmbeddedPostgres.StartAsync(Options with { Home = _home.File("home") }, Cancel)
        );
        Assert.Contains("/var/lib/verbatim", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ordinary_user_runs_it_too()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "all tests run as an ordinary user already");
        string[] nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        await RunAsync("chown", "65534:65534", _home.Path);
        Assert.SkipUnless(
            await RunAsync([.. nobody, "test", "-r", typeof(EmbeddedPostgresTests).Assembly.Location]) == 0,
            "the build is in a folder that is closed to other users"
        );

        await using var child = ChildProcess.Start<EmbeddedPostgresHost>([_home.Path], nobody);
        Assert.True(int.TryParse(await child.ReadLineAsync(Cancel), CultureInfo.InvariantCulture, out var processId));

        // And root may look on with a command.
        await using (var command = await EmbeddedPostgres.ConnectOrStartAsync(Options, Cancel))
            Assert.Equal(1, await QueryAsync<int>(command, "SELECT 1"));
        Assert.Equal(0, await child.StopAsync(Cancel));
        Assert.False(Servers.IsRunning(processId));
    }

    private static Task<T> QueryAsync<T>(EmbeddedPostgres server, string sql) =>
        Servers.QueryAsync<T>(server.ConnectionString, sql, Cancel);

    private static async Task<int> RunAsync(params string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        await process.WaitForExitAsync(Cancel);
        return process.ExitCode;
    }
}
