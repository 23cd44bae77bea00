namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// The private Postgres server could not be started. The message is written for the person at the terminal: it says
/// what was found and what to do.
/// </summary>
public class EmbeddedPostgresException : Exception
{
    /// <summary>Creates the exception with a message for the person at the terminal.</summary>
    public EmbeddedPostgresException(string message)
        : base(message) { }

    /// <summary>Creates the exception with a message for the person at the terminal and its cause.</summary>
    public EmbeddedPostgresException(string message, Exception innerException)
        : base(message, innerException) { }
}
