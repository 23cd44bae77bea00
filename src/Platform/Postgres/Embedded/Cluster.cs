using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// The files of one private server: <c>data</c> and <c>socket</c>, which belong to the server's user, and beside them
/// what Host writes: configuration, log and lock. Host (which may be root) never writes in a folder of that user.
/// </summary>
internal sealed partial class Cluster
{
    // sun_path holds 108 bytes on Linux and 104 on macOS, one of them for the closing zero (unix(7)).
    private static readonly int LongestSocketPath = OperatingSystem.IsMacOS() ? 103 : 107;
    private const string SocketFile = ".s.PGSQL.5432";
    private const string UnfinishedPrefix = "initializing-";
    private const string TemporaryPrefix = "verbatim-";
    private const long LogBound = 8 * 1024 * 1024;

    private readonly EmbeddedPostgresOptions _options;
    private readonly string _folder;

    private Cluster(EmbeddedPostgresOptions options, ServerUser user, PostgresBinaries binaries)
    {
        _options = options;
        _folder = FolderOf(options.Home);
        User = user;
        Binaries = binaries;
        SocketFolder = Path.Combine(_folder, "socket");
    }

    public ServerUser User { get; }

    public PostgresBinaries Binaries { get; }

    public string DataFolder => DataFolderOf(_options.Home);

    public string ConfigFile => Path.Combine(_folder, "postgresql.conf");

    public string LogFile => Path.Combine(_folder, "server.log");

    /// <summary>Where the server's socket is; set by <see cref="PrepareStartAsync"/>.</summary>
    public string SocketFolder { get; private set; }

    public static string DataFolderOf(string home) => Path.Combine(FolderOf(home), "data");

    public static string LockFileOf(string home) => Path.Combine(FolderOf(home), "lock");

    /// <summary>Creates the folders of a home that every start needs.</summary>
    /// <exception cref="EmbeddedPostgresException">The home cannot be written.</exception>
    public static void CreateFolders(string home)
    {
        try
        {
            Directory.CreateDirectory(FolderOf(home));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(home, e);
        }
    }

    /// <summary>Creates a folder which, when Host is root, the server's user may enter.</summary>
    public static void CreateFolder(string path)
    {
        Directory.CreateDirectory(path);
        if (Environment.IsPrivilegedProcess)
            Allow(path, UnixFileMode.OtherExecute);
    }

    public static EmbeddedPostgresException Unwritable(string home, Exception cause) =>
        new(
            $"The Verbatim home {home} cannot be used by {Environment.UserName}: {cause.Message} "
                + "Set VERBATIM_HOME to a folder that this user can write.",
            cause
        );

    /// <summary>Finds the server's programs and, at the first start, creates the data.</summary>
    public static async Task<Cluster> PrepareAsync(EmbeddedPostgresOptions options, CancellationToken cancellationToken)
    {
        var data = DataFolderOf(options.Home);
        var user = await ServerUser.ChooseAsync(data, cancellationToken);
        if (user.IsOther)
            await CheckEntryAsync(options.Home, user, cancellationToken);
        var versionFile = Path.Combine(data, "PG_VERSION");
        var isNew = !File.Exists(versionFile);
        var binaries = await PostgresBinaries.LocateAsync(
            options.Binaries is { } given ? [given] : PostgresBinaries.UsualFolders(options.Home),
            isNew ? null : (await File.ReadAllTextAsync(versionFile, cancellationToken)).Trim(),
            user,
            new NpmPostgres(options.Home, options.Logger, options.Binaries is null ? Command.Find("npm") : null),
            cancellationToken
        );
        var cluster = new Cluster(options, user, binaries);
        cluster.RemoveUnfinished();
        if (isNew)
            await cluster.InitializeAsync(cancellationToken);
        return cluster;
    }

    /// <summary>Writes the configuration and clears what a server that was killed has left. None may be running.</summary>
    public async Task PrepareStartAsync(CancellationToken cancellationToken)
    {
        Postmaster.Read(DataFolder)?.RemoveIfMisleading(DataFolder);
        await ChooseSocketFolderAsync(cancellationToken);

        // Names in quotes are never keywords or regular expressions (Postgres, The pg_hba.conf File). pg_ident needs
        // one line for each user who may connect: Host's, the server's, and root, who could anyway.
        var users = new[] { "root", Environment.UserName, User.Name }.Distinct(StringComparer.Ordinal);
        await WriteAsync("pg_hba.conf", ["local all all peer map=verbatim", "local replication all peer map=verbatim"]);
        await WriteAsync(
            "pg_ident.conf",
            users.SelectMany(user => new[] { $"verbatim \"{user}\" postgres", $"verbatim \"{user}\" verbatim" })
        );
        await WriteAsync("postgresql.conf", Settings().Select(setting => $"{setting.Key} = {Quote(setting.Value)}"));

        if (!File.Exists(LogFile))
        {
            await File.WriteAllTextAsync(LogFile, "", cancellationToken);
            await User.OwnAsync(LogFile, cancellationToken);
        }
        BoundLog();

        async Task WriteAsync(string name, IEnumerable<string> lines)
        {
            var path = Path.Combine(_folder, name);
            await File.WriteAllLinesAsync(
                path,
                ["# Written by Verbatim at every start; changes are lost. Configure them in Verbatim.", .. lines],
                cancellationToken
            );
            if (User.IsOther)
                Allow(path, UnixFileMode.OtherRead);
        }
    }

    /// <summary>
    /// Keeps the log at 8 MB with one older generation beside it. The server appends (O_APPEND), so it goes on
    /// writing at the new end.
    /// </summary>
    public void BoundLog()
    {
        if (new FileInfo(LogFile) is not { Exists: true, Length: > LogBound })
            return;
        File.Copy(LogFile, $"{LogFile}.1", overwrite: true);
        using var log = new FileStream(LogFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        log.SetLength(0);
    }

    /// <summary>Removes the socket folder if it is a temporary one. The server must have ended.</summary>
    public void RemoveSocketFolder()
    {
        if (!Path.GetFileName(SocketFolder).StartsWith(TemporaryPrefix, StringComparison.Ordinal))
            return;
        RemoveTemporary(SocketFolder);
        File.Delete(SocketNote);
    }

    private string SocketNote => Path.Combine(_folder, "socket-folder");

    private static string FolderOf(string home) => Path.Combine(home, "postgres");

    private static async Task CheckEntryAsync(string home, ServerUser user, CancellationToken cancellationToken)
    {
        var enter = new[] { "/bin/sh", "-c", """cd -- "$1" """, "sh", FolderOf(home) };
        if ((await Command.RunAsync(user.Run(enter), cancellationToken)).ExitCode == 0)
            return;
        // These are ours to open, as little as it takes; what is above them is not.
        CreateFolder(home);
        CreateFolder(FolderOf(home));
        var result = await Command.RunAsync(user.Run(enter), cancellationToken);
        if (result.ExitCode != 0)
            throw new EmbeddedPostgresException(
                $"Postgres refuses to run as root and so runs as {user.Name}, to whom the Verbatim home {home} is "
                    + "closed. Set VERBATIM_HOME to a folder that every user may enter, such as /var/lib/verbatim. "
                    + $"({result.Error})"
            );
    }

    // Prepared in another folder, made durable and then renamed, so that a start that is killed half way leaves
    // nothing that looks like data. Written without fsync first, because one pass at the end is three times as fast.
    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(DataFolder) && Directory.EnumerateFileSystemEntries(DataFolder).Any())
            throw new EmbeddedPostgresException(
                $"{DataFolder} is not empty, and it is not the data of a Postgres server either. Move it away, or set "
                    + "VERBATIM_HOME to another folder."
            );
        LogInitializing(DataFolder, Binaries.Version);
        var fresh = Path.Combine(_folder, $"{UnfinishedPrefix}{Path.GetRandomFileName()}");
        await CreateServersFolderAsync(fresh, cancellationToken);
        await Command.RunOrThrowAsync(
            User.Run(
                Binaries.Initdb,
                $"--pgdata={fresh}",
                "--username=postgres",
                "--auth=reject", // the server is only ever started with the files that PrepareStartAsync writes
                "--encoding=UTF8",
                "--no-locale",
                "--data-checksums",
                "--no-sync",
                "--no-instructions"
            ),
            "The data of the private Postgres server could not be created",
            cancellationToken
        );
        // -j: a statement ends at an empty line.
        await Command.RunOrThrowAsync(
            User.Run(Binaries.Postgres, "--single", "-j", "-F", "-D", fresh, "postgres"),
            "The database of the private Postgres server could not be created",
            cancellationToken,
            """
            CREATE ROLE verbatim LOGIN CREATEDB;

            CREATE DATABASE verbatim OWNER verbatim STRATEGY file_copy;


            """
        );
        await Command.RunOrThrowAsync(
            User.Run(Binaries.Initdb, "--sync-only", $"--pgdata={fresh}"),
            "The data of the private Postgres server could not be written",
            cancellationToken
        );
        if (Directory.Exists(DataFolder))
            Directory.Delete(DataFolder);
        Directory.Move(fresh, DataFolder);
        await Command.RunAsync(new("sync", [_folder]), cancellationToken);
    }

    private void RemoveUnfinished()
    {
        foreach (var folder in Directory.EnumerateDirectories(_folder, $"{UnfinishedPrefix}*"))
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // Its initdb outlived the Host that was killed and still writes there. The next start removes it.
            }
        }
    }

    private Dictionary<string, string> Settings()
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["data_directory"] = DataFolder,
            ["hba_file"] = Path.Combine(_folder, "pg_hba.conf"),
            ["ident_file"] = Path.Combine(_folder, "pg_ident.conf"),
            ["listen_addresses"] = "",
            ["port"] = "5432",
            ["unix_socket_directories"] = $"\"{SocketFolder.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
            ["max_connections"] = "100",
            ["shared_buffers"] = "128MB",
            ["fsync"] = "on",
            ["synchronous_commit"] = "on",
            ["full_page_writes"] = "on",
            ["max_wal_size"] = "1GB",
            ["autovacuum"] = "on",
            ["jit"] = "off", // compiling costs more than it saves on queries by key
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
            ["lc_messages"] = "C", // ServerProcess reads them
            ["log_min_messages"] = "warning",
            // A failed statement's text and details may hold what people wrote.
            ["log_min_error_statement"] = "panic",
            ["log_error_verbosity"] = "terse",
            ["cluster_name"] = "verbatim",
        };
        foreach (var (name, value) in _options.Settings)
        {
            if (!SettingName().IsMatch(name))
                throw new EmbeddedPostgresException($"\"{name}\" is not the name of a Postgres setting.");
            settings[name] = value;
        }
        return settings;
    }

    private async Task ChooseSocketFolderAsync(CancellationToken cancellationToken)
    {
        // A start that was killed could not remove its own.
        if (File.Exists(SocketNote))
            RemoveTemporary((await File.ReadAllTextAsync(SocketNote, cancellationToken)).Trim());

        var inHome = Path.Combine(_folder, "socket");
        SocketFolder = Fits(inHome) ? inHome : TemporaryFolder();
        if (!ReferenceEquals(SocketFolder, inHome))
            await File.WriteAllTextAsync(SocketNote, SocketFolder, cancellationToken);
        await CreateServersFolderAsync(SocketFolder, cancellationToken);
        File.Delete(Path.Combine(SocketFolder, SocketFile));
        File.Delete(Path.Combine(SocketFolder, $"{SocketFile}.lock"));
    }

    // A comma would read as two hosts in a connection string.
    private static bool Fits(string folder) =>
        Encoding.UTF8.GetByteCount(Path.Combine(folder, SocketFile)) <= LongestSocketPath && !folder.Contains(',');

    // The name cannot be guessed: nobody else can have put a folder (and a server) there.
    private static string TemporaryFolder()
    {
        var name = $"{TemporaryPrefix}{Path.GetRandomFileName()}";
        var usual = Path.Combine(Path.GetTempPath(), name);
        return Fits(usual) ? usual : Path.Combine("/tmp", name);
    }

    private static void RemoveTemporary(string folder)
    {
        if (
            !Path.GetFileName(folder).StartsWith(TemporaryPrefix, StringComparison.Ordinal) || !Directory.Exists(folder)
        )
            return;
        File.Delete(Path.Combine(folder, SocketFile));
        File.Delete(Path.Combine(folder, $"{SocketFile}.lock"));
        Directory.Delete(folder);
    }

    private async Task CreateServersFolderAsync(string path, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await User.OwnAsync(path, cancellationToken);
    }

    private static void Allow(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | mode);
    }

    private static string Quote(string value) =>
        $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_.]*$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SettingName();

    private void LogInitializing(string folder, string version) => LogInitializing(_options.Logger, folder, version);

    [LoggerMessage(LogLevel.Information, "Creating the data of the private Postgres {Version} server in {Folder}")]
    private static partial void LogInitializing(ILogger logger, string folder, string version);
}
