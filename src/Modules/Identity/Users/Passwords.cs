using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person found by their address, with the hash of their password.</summary>
internal sealed record Account(Guid TenantId, Guid UserId, Role Role, bool MustChangePassword, string PasswordHash);

/// <summary>Hashes passwords (PBKDF2 with HMAC-SHA512) and finds accounts by address.</summary>
internal sealed class Passwords(Database database, BlindIndex blindIndex)
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
    public static SqlWrite Replace(Guid tenantId, Guid userId, string hash) =>
        new(
            "update identity.passwords set hash = $3, changed_at = now() where tenant_id = $1 and user_id = $2",
            tenantId,
            userId,
            hash
        );

    /// <summary>The account with this address, in whatever case it is written.</summary>
    public async Task<Account?> FindByEmailAsync(string email, CancellationToken cancellationToken) =>
        await FindAsync(
            "p.email_hash = $1",
            new NpgsqlParameter<byte[]> { TypedValue = await HashEmailAsync(email, cancellationToken) },
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

    private ValueTask<byte[]> HashEmailAsync(string email, CancellationToken cancellationToken) =>
        blindIndex.HashAsync("identity.email", email.ToUpperInvariant(), cancellationToken);
}
