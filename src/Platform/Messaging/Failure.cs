using System.Text;
using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging;

/// <summary>What a handler's exception means for those who wait.</summary>
internal static class Failure
{
    /// <summary>The most characters of a reason that are kept.</summary>
    public const int MaxReasonLength = 1000;

    /// <summary>What the functions of the schema fail with when another instance has taken over.</summary>
    public const string LeaseLost = "VB003";

    /// <summary>The database is away or restarts: nobody's event is to blame, and it will pass.</summary>
    public static bool IsOfTheDatabase(Exception exception) =>
        exception switch
        {
            LogUnavailableException => true,
            // Class 08 connection, 53 resources, 57P operator intervention (PostgreSQL, Appendix A): not what a statement did.
            PostgresException e => e.SqlState.StartsWith("08", StringComparison.Ordinal)
                || e.SqlState.StartsWith("53", StringComparison.Ordinal)
                || e.SqlState.StartsWith("57P", StringComparison.Ordinal),
            // A statement that takes too long would do so for ever.
            NpgsqlException e => !IsSlowStatement(e),
            _ => false,
        };

    /// <summary>No connection was to be had in time, so nothing was sent: the pool is exhausted, or the server does not answer.</summary>
    public static bool IsOfConnecting(Exception exception) =>
        exception is NpgsqlException { InnerException: TimeoutException } e && !IsSlowStatement(e);

    // Npgsql tells a time-out on the way to a connection from one of a statement by these words alone (NpgsqlReadBuffer, NpgsqlWriteBuffer).
    private static bool IsSlowStatement(NpgsqlException exception) =>
        exception.InnerException
            is TimeoutException { Message: "Timeout during reading attempt" or "Timeout during writing attempt" };

    /// <summary>The checkpoint was not where this instance had left it, or belongs to another.</summary>
    public static bool IsOutOfStep(Exception exception) =>
        exception is OutOfStepException or PostgresException { SqlState: LeaseLost };

    /// <summary>This build cannot read what it should handle, so it need not be tried again.</summary>
    public static bool IsUnreadable(Exception exception) => exception is UnreadableException;

    /// <summary>The exception's type and message, cut to <see cref="MaxReasonLength"/>.</summary>
    /// <remarks>Postgres's detail is left out: it quotes rows.</remarks>
    public static string Reason(Exception exception)
    {
        var told = exception is UnreadableException { InnerException: { } inner } ? inner : exception;
        var message = told switch
        {
            PostgresException e => $"{e.SqlState}: {e.MessageText}",
            // System.Text.Json quotes no value, but its path may have a dictionary's key, which is a user's text.
            JsonException e =>
                $"The stored JSON does not fit its shape (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}).",
            _ => told.Message,
        };
        var reason = $"{told.GetType().Name}: {message}".Replace('\0', '\uFFFD');
        if (reason.Length > MaxReasonLength)
            reason = reason[..(MaxReasonLength - 1)] + '…';
        // Half of a surrogate pair cannot be stored.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(reason));
    }
}

/// <summary>What is to be handled cannot be read by this build: its type is unknown, or its JSON does not fit.</summary>
internal sealed class UnreadableException(Exception inner) : Exception(inner.Message, inner);

/// <summary>A lane does not know where it is: it must look.</summary>
internal sealed class OutOfStepException(Exception? inner = null)
    : Exception("It is not known what came of a commit.", inner);
