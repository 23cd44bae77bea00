using System.Security.Cryptography;
using Npgsql;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>A person found by their address, with the hash of their password.</summary>
/// <param name="TenantId">The person's home organization.</param>
/// <param name="UserId">The person.</param>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person is at home.</param>
/// <param name="MustChangePassword">The password is a one-time password.</param>
/// <param name="PasswordHash">Of the password.</param>
internal sealed record Account(
    Guid TenantId,
    Guid UserId,
    string Email,
    Role Role,
    bool MustChangePassword,
    string PasswordHash
);

/// <summary>A row of the table.</summary>
internal sealed record KeptPassword(Guid TenantId, Guid UserId, string Hash);

/// <summary>Keeps the hashes of passwords, and finds accounts by address.</summary>
[Singleton]
internal sealed class PasswordStore(Database database, DocumentStore documents, BlindIndex blindIndex)
{
    private const int OneTimeLength = 20;

    // Without the letters and digits that are mistaken for each other.
    private const string OneTimeAlphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    public static string NewOneTimePassword() => RandomNumberGenerator.GetString(OneTimeAlphabet, OneTimeLength);

    /// <summary>The statement that gives a new account its address and password, for the transaction of the event that says so.</summary>
    /// <remarks>Another account with this address makes it fail with a unique violation.</remarks>
    public async ValueTask<SqlWrite> CreateAsync(
        Guid tenantId,
        Guid userId,
        string email,
        string hash,
        CancellationToken cancellationToken
    ) =>
        new(
            "insert into identity.passwords (tenant_id, user_id, email_hash, hash) values ($1, $2, $3, $4)",
            tenantId,
            userId,
            await HashEmailAsync(email, cancellationToken),
            hash
        );

    /// <summary>The statement that replaces a password, for the transaction of the event that says so.</summary>
    public static SqlWrite Replace(Guid userId, string hash) =>
        new("update identity.passwords set hash = $2, changed_at = now() where user_id = $1", userId, hash);

    /// <summary>Keeps a better hash of the same password, unless the password was changed meanwhile.</summary>
    public async Task ImproveAsync(Account account, string hash, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "update identity.passwords set hash = $3 where user_id = $1 and hash = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account.UserId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = account.PasswordHash });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = hash });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The account with this address, in whatever case it is written.</summary>
    public async Task<Account?> FindByEmailAsync(string email, CancellationToken cancellationToken) =>
        await FindHashAsync(await HashEmailAsync(email, cancellationToken), cancellationToken) is { } found
            ? await FindByIdAsync(found.UserId, cancellationToken)
            : null;

    /// <summary>What is kept under the hash of an address: one read, whether there is anything or not.</summary>
    public Task<KeptPassword?> FindHashAsync(byte[] emailHash, CancellationToken cancellationToken) =>
        ReadAsync("email_hash = $1", new NpgsqlParameter<byte[]> { TypedValue = emailHash }, cancellationToken);

    public async Task<Account?> FindByIdAsync(Guid userId, CancellationToken cancellationToken)
    {
        var id = new NpgsqlParameter<Guid> { TypedValue = userId };
        if (await ReadAsync("user_id = $1", id, cancellationToken) is not { } kept)
            return null;
        return
            await documents.LoadAsync<User>(Access.ToAll(kept.TenantId), userId, cancellationToken)
                is { Value: var user }
            ? new Account(kept.TenantId, userId, user.Email, user.Role, user.MustChangePassword, kept.Hash)
            : null;
    }

    /// <summary>By which an address is known without being kept.</summary>
    public ValueTask<byte[]> HashEmailAsync(string email, CancellationToken cancellationToken) =>
        blindIndex.HashAsync("identity.email", email.Trim().ToUpperInvariant(), cancellationToken);

    private async Task<KeptPassword?> ReadAsync(
        string condition,
        NpgsqlParameter parameter,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            $"select tenant_id, user_id, hash from identity.passwords where {condition}"
        );
        command.Parameters.Add(parameter);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new KeptPassword(reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2))
            : null;
    }
}
