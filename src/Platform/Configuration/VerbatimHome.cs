using Microsoft.Extensions.Configuration;

namespace Verbatim.Platform.Configuration;

/// <summary>
/// The folder where this installation keeps what belongs to the machine: the private Postgres, generated keys.
/// <c>VERBATIM_HOME</c> names it; otherwise it is <c>~/.verbatim</c>, or <c>/var/lib/verbatim</c> for root, whose home is closed to the
/// user that Postgres runs as.
/// </summary>
/// <param name="Path">An absolute path; the folder exists once something is kept in it.</param>
public sealed record VerbatimHome(string Path)
{
    /// <summary>The setting, as an environment variable or an argument.</summary>
    public const string Setting = "VERBATIM_HOME";

    /// <summary>Finds the folder that the settings name.</summary>
    public static VerbatimHome From(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration[Setting] is { Length: > 0 } named)
            return new VerbatimHome(System.IO.Path.GetFullPath(named));

        var isRoot = !OperatingSystem.IsWindows() && Environment.UserName == "root";
        var home = Environment.GetFolderPath(
            Environment.SpecialFolder.UserProfile,
            Environment.SpecialFolderOption.DoNotVerify
        );
        return new VerbatimHome(
            isRoot || home.Length == 0 ? "/var/lib/verbatim" : System.IO.Path.Combine(home, ".verbatim")
        );
    }
}
