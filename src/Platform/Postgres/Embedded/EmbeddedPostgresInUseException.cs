namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>Another process runs a private Postgres server on the same home.</summary>
public sealed class EmbeddedPostgresInUseException : EmbeddedPostgresException
{
    internal EmbeddedPostgresInUseException(string home, int? processId)
        : base(
            $"The Verbatim home {home} is in use by another Verbatim{(processId is null ? "" : $" (process {processId})")}. "
                + "Stop that one first, or set VERBATIM_HOME to another folder."
        )
    {
        Home = home;
        ProcessId = processId;
    }

    /// <summary>The home that is in use.</summary>
    public string Home { get; }

    /// <summary>The process that uses it, where known.</summary>
    public int? ProcessId { get; }
}
