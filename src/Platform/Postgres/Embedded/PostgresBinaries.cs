using System.Globalization;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>The folder of a server's programs, and its version (such as 15 and "15.18").</summary>
internal sealed record PostgresBinaries(string Folder, int Major, string Version)
{
    /// <summary>The oldest major version that the event store supports.</summary>
    public const int OldestMajor = 15;

    public string Postgres => Path.Combine(Folder, "postgres");

    public string Initdb => Path.Combine(Folder, "initdb");

    /// <summary>
    /// The folders where a server is usually installed, best first: PATH, Debian's (newest first), Red Hat's,
    /// Homebrew's, Postgres.app's, and what an earlier start installed in the home.
    /// </summary>
    public static IEnumerable<string> UsualFolders(string home)
    {
        // Debian links a few programs into PATH: the folder that the link leads to has all of them.
        if (Command.Find("postgres") is { } onPath)
            yield return Path.GetDirectoryName(
                File.ResolveLinkTarget(onPath, returnFinalTarget: true)?.FullName ?? onPath
            )!;
        foreach (
            var (parent, prefix, suffix) in new[]
            {
                ("/usr/lib/postgresql", "", "bin"),
                ("/usr", "pgsql-", "bin"),
                ("/opt/homebrew/opt", "postgresql@", "bin"),
                ("/usr/local/opt", "postgresql@", "bin"),
                ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
                ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
                (NpmPostgres.Folder(home), "", NpmPostgres.BinFolder),
            }
        )
        {
            foreach (var (_, folder) in Versions(parent, prefix).OrderByDescending(version => version.Number))
                yield return Path.Combine(folder, suffix);
        }
        yield return "/usr/local/pgsql/bin";
    }

    /// <summary>
    /// Finds a server in <paramref name="folders"/> or installs one in the home. <paramref name="dataVersion"/> is
    /// the content of the data's PG_VERSION, null when there is no data yet: only that major version can read it.
    /// </summary>
    /// <exception cref="EmbeddedPostgresException">There is none, and none could be installed.</exception>
    public static async Task<PostgresBinaries> LocateAsync(
        IEnumerable<string> folders,
        string? dataVersion,
        ServerUser user,
        NpmPostgres npm,
        CancellationToken cancellationToken
    )
    {
        var others = new List<PostgresBinaries>();
        foreach (var folder in folders.Distinct(StringComparer.Ordinal))
        {
            if (await ProbeAsync(folder, user, cancellationToken) is not { } found)
                continue;
            if (dataVersion is null ? found.Major >= OldestMajor : IsMajor(found, dataVersion))
                return found;
            others.Add(found);
        }

        if (await npm.InstallAsync(dataVersion, cancellationToken) is { } installed)
        {
            return await ProbeAsync(installed, user, cancellationToken)
                ?? throw new EmbeddedPostgresException(
                    $"The Postgres server that npm installed in {installed} does not run on this machine. "
                        + "Install Postgres 15 or later, or set ConnectionStrings:Postgres."
                );
        }

        var present =
            others.Count == 0
                ? "no Postgres server was found on this machine"
                : $"only {string.Join(", ", others.Select(other => $"Postgres {other.Version} ({other.Folder})"))} was found";
        throw new EmbeddedPostgresException(
            dataVersion is null
                ? $"Verbatim needs Postgres {OldestMajor} or later, and {present}. Install it (Debian: apt-get install "
                    + "postgresql) or npm, which can fetch it, or set ConnectionStrings:Postgres to a server of your own."
                : $"The data in {npm.Home}/postgres/data was written by Postgres {dataVersion}, which only that version "
                    + $"can read, and {present}. Install Postgres {dataVersion}, or set VERBATIM_HOME to another folder."
        );
    }

    // Runs the program as the server's user, which also shows that this user may.
    private static async Task<PostgresBinaries?> ProbeAsync(
        string folder,
        ServerUser user,
        CancellationToken cancellationToken
    )
    {
        var candidate = new PostgresBinaries(folder, 0, "");
        if (!File.Exists(candidate.Postgres) || !File.Exists(candidate.Initdb))
            return null;
        var result = await Command.RunAsync(user.Run(candidate.Postgres, "--version"), cancellationToken);
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; "18beta1" before a release.
        const string Prefix = "postgres (PostgreSQL) ";
        if (result.ExitCode != 0 || !result.Output.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var version = result.Output[Prefix.Length..].Split(' ')[0];
        var major = string.Concat(version.TakeWhile(char.IsAsciiDigit));
        return int.TryParse(major, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? candidate with
            {
                Major = number,
                Version = version,
            }
            : null;
    }

    private static bool IsMajor(PostgresBinaries found, string dataVersion) =>
        string.Equals(found.Major.ToString(CultureInfo.InvariantCulture), dataVersion, StringComparison.Ordinal);

    private static IEnumerable<(int Number, string Folder)> Versions(string parent, string prefix) =>
        from folder in Directory.Exists(parent) ? Directory.EnumerateDirectories(parent, $"{prefix}*") : []
        let name = Path.GetFileName(folder)[prefix.Length..]
        where int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        select (int.Parse(name, CultureInfo.InvariantCulture), folder);
}
