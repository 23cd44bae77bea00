using Npgsql;

namespace Verbatim.Platform.Postgres;

/// <summary>Transactions that others may wait for.</summary>
internal static class WatchedTransaction
{
    // An instance that is frozen, or has vanished from the network, would keep its locks for as long as the server asks the network, which
    // is hours. Who is alive is never silent for so long.
    private const string Watch = "set local idle_in_transaction_session_timeout = '10s'";

    /// <summary>Begins a transaction that the server ends, its connection too, when nothing is heard in it for ten seconds.</summary>
    public static async Task<NpgsqlTransaction> BeginWatchedAsync(
        this NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(Watch, connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }
}
