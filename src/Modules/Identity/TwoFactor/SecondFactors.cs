using System.Security.Cryptography;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>A person's second factor as it is kept.</summary>
/// <param name="UserId">The person.</param>
/// <param name="TenantId">Their home organization.</param>
/// <param name="StreamId">The stream there of what becomes of it.</param>
/// <param name="Secret">The sealed secret.</param>
/// <param name="EnabledAt">Null until it was proved.</param>
internal sealed record KeptFactor(Guid UserId, Guid TenantId, Guid StreamId, byte[] Secret, DateTimeOffset? EnabledAt);

/// <summary>Keeps secrets of authenticators and hashes of recovery codes, and sees to it that no code is taken twice.</summary>
[Singleton]
internal sealed class SecondFactors(Database database, MasterKey masterKey, TimeProvider time)
{
    public static string PurposeOf(Guid userId) => $"identity.second-factor:{userId}";

    /// <summary>The person's factor, proved or not; null when there is none.</summary>
    public async Task<KeptFactor?> FindAsync(Guid userId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select tenant_id, stream_id, secret, enabled_at from identity.second_factors where user_id = $1"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new KeptFactor(
            userId,
            reader.GetGuid(0),
            reader.GetGuid(1),
            reader.GetFieldValue<byte[]>(2),
            await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(3)
        );
    }

    /// <summary>The person's factor, if it is asked for at logins.</summary>
    public async Task<KeptFactor?> FindEnabledAsync(Guid userId, CancellationToken cancellationToken) =>
        await FindAsync(userId, cancellationToken) is { EnabledAt: not null } factor ? factor : null;

    /// <summary>Keeps a new secret that is still to be proved, in place of another such one.</summary>
    /// <returns>The secret, or null when the person has a factor that is enabled.</returns>
    public async Task<byte[]?> BeginAsync(
        Guid tenantId,
        Guid userId,
        Guid streamId,
        CancellationToken cancellationToken
    )
    {
        var secret = RandomNumberGenerator.GetBytes(Totp.SecretSize);
        await using var command = database.Writes.CreateCommand(
            """
            insert into identity.second_factors as f (user_id, tenant_id, stream_id, secret) values ($1, $2, $3, $4)
            on conflict (user_id) do update set tenant_id = $2, stream_id = $3, secret = $4, last_step = 0
            where f.enabled_at is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = streamId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = masterKey.Seal(secret, PurposeOf(userId)) });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1 ? secret : null;
    }

    /// <summary>
    /// Whether a code is the authenticator's now, and was not taken before: of two who bring the same code at once, to whichever instances, one is
    /// refused.
    /// </summary>
    public async Task<bool> TakeCodeAsync(KeptFactor factor, string code, CancellationToken cancellationToken)
    {
        var digits = code.Replace(" ", "", StringComparison.Ordinal);
        var secret = masterKey.Open(factor.Secret, PurposeOf(factor.UserId));
        var step = Totp.FindStep(secret, digits, time.GetUtcNow());
        CryptographicOperations.ZeroMemory(secret);
        if (step is null)
            return false;
        await using var command = database.Writes.CreateCommand(
            "update identity.second_factors set last_step = $3 where user_id = $1 and stream_id = $2 and last_step < $3"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = factor.UserId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = factor.StreamId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = step.Value });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Whether a recovery code is one of the person's that was not used; it is used now.</summary>
    /// <returns>How many are left, or null when the code is none.</returns>
    public async Task<int?> TakeRecoveryCodeAsync(Guid userId, string code, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            with used as (
                update identity.recovery_codes set used_at = now()
                where user_id = $1 and hash = $2 and used_at is null
                returning 1
            )
            select count(*)::integer - 1 from identity.recovery_codes
            where user_id = $1 and used_at is null and exists (select from used) having exists (select from used)
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = RecoveryCode.HashOf(code) });
        return await command.ExecuteScalarAsync(cancellationToken) as int?;
    }

    /// <summary>The statements that enable a factor with its recovery codes.</summary>
    public static IReadOnlyList<SqlWrite> Enable(Guid userId, DateTimeOffset now, IReadOnlyList<string> codes) =>
        [
            new("update identity.second_factors set enabled_at = $2 where user_id = $1", userId, now.UtcDateTime),
            .. ReplaceCodes(userId, codes),
        ];

    /// <summary>The statements that replace all recovery codes.</summary>
    public static IReadOnlyList<SqlWrite> ReplaceCodes(Guid userId, IReadOnlyList<string> codes) =>
        [
            new("delete from identity.recovery_codes where user_id = $1", userId),
            new(
                "insert into identity.recovery_codes (user_id, hash) select $1, unnest($2)",
                userId,
                codes.Select(RecoveryCode.HashOf).ToArray()
            ),
        ];

    /// <summary>The statement that forgets a factor, its recovery codes with it.</summary>
    public static SqlWrite Forget(Guid userId) => new("delete from identity.second_factors where user_id = $1", userId);
}

/// <summary>The secrets of authenticators reach a new master key too.</summary>
internal sealed class SealedSecondFactors : SealedColumn
{
    public override string Table => "identity.second_factors";

    public override IReadOnlyList<string> Key { get; } = ["user_id"];

    public override string Column => "secret";

    public override string PurposeOf(IReadOnlyList<object> key) => SecondFactors.PurposeOf((Guid)key[0]);
}
