using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person found by their address, with the hash of their password.</summary>
internal sealed record Account(Guid TenantId, Guid UserId, Role Role, bool MustChangePassword, string PasswordHash);

/// <summary>Hashes passwords (PBKDF2 with HMAC-SHA512) and finds accounts by address.</summary>
internal sealed class Passwords(Database database)
{
    /// <summary>OWASP's figure for PBKDF2-HMAC-SHA512 ("Password Storage Cheat Sheet").</summary>
    private const int Iterations = 210_000;

    private const int OneTimeLength = 20;

    // Without the letters and digits that are mistaken for each other.
    private const string OneTimeAlphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    private static readonly object Anyone = new();

    private readonly PasswordHasher<object> _hasher = new(
        Options.Create(new PasswordHasherOptions { IterationCount = Iterations })
    );
    private readonly Lazy<string> _nobodysHash = new(() =>
        new PasswordHasher<object>(
            Options.Create(new PasswordHasherOptions { IterationCount = Iterations })
        ).HashPassword(Anyone, Guid.NewGuid().ToString())
    );

    public static string NewOneTimePassword() => RandomNumberGenerator.GetString(OneTimeAlphabet, OneTimeLength);

    /// <summary>Takes about a tenth of a second of one core.</summary>
    public string Hash(string password) => _hasher.HashPassword(Anyone, password);

    /// <summary>Whether the password is this account's. Takes as long when there is no account, so that time does not tell.</summary>
    public bool Verify(Account? account, string password)
    {
        var result = _hasher.VerifyHashedPassword(Anyone, account?.PasswordHash ?? _nobodysHash.Value, password);
        return account is not null && result != PasswordVerificationResult.Failed;
    }

    /// <summary>The statement that sets a password, for the transaction of the event that says so.</summary>
    public static SqlWrite Set(Guid tenantId, Guid userId, string hash) =>
        new(
            """
            insert into identity.passwords (tenant_id, user_id, hash) values ($1, $2, $3)
            on conflict (tenant_id, user_id) do update set hash = excluded.hash, changed_at = now()
            """,
            tenantId,
            userId,
            hash
        );

    public Task<Account?> FindByEmailAsync(string email, CancellationToken cancellationToken) =>
        FindAsync(
            "lower(u.data ->> 'email') = lower($1)",
            new NpgsqlParameter<string> { TypedValue = email },
            cancellationToken
        );

    public Task<Account?> FindByIdAsync(Guid userId, CancellationToken cancellationToken) =>
        FindAsync("u.id = $1", new NpgsqlParameter<Guid> { TypedValue = userId }, cancellationToken);

    private async Task<Account?> FindAsync(
        string condition,
        NpgsqlParameter parameter,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            $"""
            select u.tenant_id, u.id, u.data ->> 'role', (u.data ->> 'mustChangePassword')::boolean, p.hash
            from documents.user u join identity.passwords p on p.tenant_id = u.tenant_id and p.user_id = u.id
            where {condition}
            """
        );
        command.Parameters.Add(parameter);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new Account(
            reader.GetGuid(0),
            reader.GetGuid(1),
            Enum.Parse<Role>(reader.GetString(2), ignoreCase: true),
            reader.GetBoolean(3),
            reader.GetString(4)
        );
    }
}
