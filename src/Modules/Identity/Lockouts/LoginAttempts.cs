using System.Runtime.InteropServices;
using Npgsql;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Lockouts;

/// <summary>What is counted.</summary>
/// <param name="Kind">The word in the table.</param>
/// <param name="FreeFailures">So many failures have no consequence.</param>
/// <param name="Memory">Without an attempt for so long, all is forgotten.</param>
internal sealed record AttemptKind(string Kind, int FreeFailures, TimeSpan Memory)
{
    /// <summary>Attempts at one account, from anywhere.</summary>
    public static AttemptKind Account { get; } = new("account", 5, TimeSpan.FromHours(24));

    /// <summary>Attempts from one client network, at any account. Many people may share it.</summary>
    public static AttemptKind Network { get; } = new("network", 100, TimeSpan.FromHours(1));
}

/// <summary>An attempt that was counted.</summary>
/// <param name="Failures">With this one, should it fail.</param>
/// <param name="Delay">How long further attempts are refused, should it fail; zero for not at all.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CountedAttempt(int Failures, TimeSpan Delay);

/// <summary>
/// Counts attempts to log in, in the database and so for all instances at once. From a number of failures on, each has a delay in which nothing
/// is even looked at: one second, doubled with every further failure, a quarter of an hour at most.
/// </summary>
[Singleton]
internal sealed class LoginAttempts(Database database, BlindIndex blindIndex)
{
    public static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(15);

    // 2^10 seconds are more than the longest delay.
    private const int MaxDoublings = 10;

    public ValueTask<byte[]> KeyOfNetworkAsync(string network, CancellationToken cancellationToken) =>
        blindIndex.HashAsync("identity.client-network", network, cancellationToken);

    /// <summary>
    /// Counts an attempt as failed before it is made: <see cref="SucceededAsync"/> takes that back. In one statement, so that of many attempts at
    /// once no more are made than are allowed.
    /// </summary>
    /// <returns>The attempt, or how long none is allowed.</returns>
    public async Task<(CountedAttempt? Attempt, TimeSpan RetryAfter)> BeginAsync(
        AttemptKind kind,
        byte[] key,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        // By the database's clock, as it is after waiting for the row.
        await using var count = new NpgsqlCommand(
            """
            insert into identity.login_attempts as a (kind, key, failures, last_at) values ($1, $2, 1, clock_timestamp())
            on conflict (kind, key) do update set
                failures = case when a.last_at < clock_timestamp() - $3 then 1 else a.failures + 1 end,
                last_at = clock_timestamp(),
                until = case when a.last_at >= clock_timestamp() - $3 and a.failures + 1 >= $4 then
                    clock_timestamp() + least(interval '1 second' * 2 ^ least(a.failures + 1 - $4, $5), $6) end
            where a.until is null or a.until <= clock_timestamp()
            returning failures, coalesce(until - last_at, interval '0')
            """,
            connection
        );
        count.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind.Kind });
        count.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = key });
        count.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = kind.Memory });
        count.Parameters.Add(new NpgsqlParameter<int> { TypedValue = kind.FreeFailures });
        count.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MaxDoublings });
        count.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = MaxDelay });
        await using (var reader = await count.ExecuteReaderAsync(cancellationToken))
        {
            if (await reader.ReadAsync(cancellationToken))
                return (new CountedAttempt(reader.GetInt32(0), reader.GetFieldValue<TimeSpan>(1)), TimeSpan.Zero);
        }
        await using var left = new NpgsqlCommand(
            "select until - clock_timestamp() from identity.login_attempts where kind = $1 and key = $2",
            connection
        );
        left.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind.Kind });
        left.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = key });
        return (null, await left.ExecuteScalarAsync(cancellationToken) as TimeSpan? ?? TimeSpan.Zero);
    }

    /// <summary>An attempt that was counted was right: the account starts afresh, the network has one failure less.</summary>
    public async Task SucceededAsync(byte[] account, byte[] network, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            with account as (delete from identity.login_attempts where kind = 'account' and key = $1)
            update identity.login_attempts set failures = failures - 1, until = null where kind = 'network' and key = $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = account });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = network });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>An attempt did not come to a decision, so it was none.</summary>
    public async Task TakeBackAsync(byte[] account, byte[] network, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            update identity.login_attempts set failures = failures - 1, until = null
            where ((kind = 'account' and key = $1) or (kind = 'network' and key = $2)) and failures > 0
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = account });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = network });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Forgets an account's failures.</summary>
    public static Platform.Events.SqlWrite Forget(byte[] account) =>
        new("delete from identity.login_attempts where kind = 'account' and key = $1", account);
}
