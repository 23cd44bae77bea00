using System.Diagnostics;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// The user that the server runs as. Postgres refuses to run as root, so as root it is another one: the owner of the
/// data where there is data, otherwise 65534 ("nobody").
/// </summary>
internal sealed class ServerUser
{
    private const string Nobody = "65534:65534";

    private readonly string? _owner;
    private readonly string[] _prefix;

    private ServerUser(string name, string? owner, string[] prefix)
    {
        Name = name;
        _owner = owner;
        _prefix = prefix;
    }

    /// <summary>The name in the password database; peer authentication compares names, not numbers.</summary>
    public string Name { get; }

    /// <summary>Whether Host is root and the server is not.</summary>
    public bool IsOther => _owner is not null;

    public static async Task<ServerUser> ChooseAsync(string dataFolder, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            // Read from the password database. initdb refuses a user id that is not in it.
            if (Environment.UserName is not { Length: > 0 } current)
                throw new EmbeddedPostgresException(
                    "The private Postgres server needs a user with a name, and the current user id has none in "
                        + "/etc/passwd. Run as another user, or set ConnectionStrings:Postgres."
                );
            return new ServerUser(current, owner: null, prefix: []);
        }

        if (Command.Find("setpriv") is not { } setpriv)
            throw new EmbeddedPostgresException(
                "Postgres refuses to run as root, and setpriv (package util-linux) is missing. Install it, run as an "
                    + "ordinary user, or set ConnectionStrings:Postgres."
            );
        var owner = Directory.Exists(dataFolder) ? await OwnerAsync(dataFolder, cancellationToken) : Nobody;
        var ids = owner.Split(':');
        var name = await Command.RunOrThrowAsync(
            Plain("id", "-un", ids[0]),
            $"Postgres refuses to run as root, and there is no user with the id {ids[0]} to run it as",
            cancellationToken
        );
        return new ServerUser(
            name,
            owner,
            [setpriv, $"--reuid={ids[0]}", $"--regid={ids[1]}", "--clear-groups", "--no-new-privs"]
        );
    }

    /// <summary>
    /// A program to run as this user: with nothing of Host's environment but PATH (PGDATA, LD_LIBRARY_PATH or
    /// provider keys are none of its business), and in a folder that every user may enter.
    /// </summary>
    public ProcessStartInfo Run(params string[] command) => RunIn([], command);

    /// <summary>
    /// The same in a session of its own, so that Ctrl+C and hang-ups of the terminal do not reach it. macOS has no
    /// setsid program; there the caller must not rely on it.
    /// </summary>
    public ProcessStartInfo RunDetached(params string[] command) =>
        RunIn(Command.Find("setsid") is { } setsid ? [setsid] : [], command);

    /// <summary>Gives a file or folder to this user.</summary>
    public async Task OwnAsync(string path, CancellationToken cancellationToken)
    {
        if (_owner is not null)
            await Command.RunOrThrowAsync(
                Plain("chown", "-h", _owner, path),
                $"{path} could not be given to user {Name}",
                cancellationToken
            );
    }

    private ProcessStartInfo RunIn(string[] session, string[] command)
    {
        string[] line = [.. session, .. _prefix, .. command];
        var start = Plain(line[0], line[1..]);
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C";
        start.Environment["TZ"] = "UTC";
        return start;
    }

    private static ProcessStartInfo Plain(string program, params string[] arguments) =>
        new(program, arguments) { WorkingDirectory = "/" };

    private static async Task<string> OwnerAsync(string folder, CancellationToken cancellationToken)
    {
        var owner = await Command.RunOrThrowAsync(
            Plain("stat", "-c", "%u:%g", folder),
            $"The owner of {folder} could not be read",
            cancellationToken
        );
        return owner.StartsWith("0:", StringComparison.Ordinal) ? Nobody : owner;
    }
}
