using Microsoft.Extensions.Configuration;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>
/// On an empty database: makes the organization, its administrator and a first API key, all in one transaction, and prints the two secrets. They
/// are printed this once, since only their hashes are kept.
/// </summary>
internal sealed class FirstStart(
    IConfiguration configuration,
    Database database,
    FirstOrganization organization,
    DocumentStore documents,
    PasswordStore passwords,
    PasswordHashing hashing,
    IdSource ids,
    TimeProvider time
) : IStartupStep
{
    // Any fixed number will do, as long as nothing else locks by it.
    private const string Lock = "select pg_advisory_xact_lock(83722847)";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var command = new NpgsqlCommand(Lock, connection))
            await command.ExecuteNonQueryAsync(cancellationToken);
        if (await organization.FindAsync(cancellationToken) is not null)
            return;

        var now = time.GetUtcNow();
        var tenantId = ids.New();
        var userId = ids.New();
        var keyId = ids.New();
        var email = Setting("Identity:AdministratorEmail") ?? "admin@localhost";
        var givenPassword = Setting("Identity:AdministratorPassword");
        var password = givenPassword ?? PasswordStore.NewOneTimePassword();
        var secret = ApiKeySecret.New();

        var result = await documents.CreateAsync(
            new AppendContext(tenantId, "system:first-start", ""),
            [
                documents.New<Organization>(
                    tenantId,
                    new OrganizationCreated(Setting("Identity:OrganizationName") ?? "My organization", now)
                ),
                documents.New<User>(
                    userId,
                    // A password that the operator has chosen is their own; a printed one is for once.
                    givenPassword is null
                        ? new UserCreated(email, Role.Admin, now)
                        : new UserJoined(email, Role.Admin, now, InvitationId: null)
                ),
                documents.New<ApiKey>(
                    keyId,
                    new ApiKeyCreated(
                        "First key",
                        ApiKeySecret.PrefixOf(secret),
                        Scopes.All,
                        userId,
                        PrincipalKind.User,
                        ProjectId: null,
                        AllowedAddresses: [],
                        now,
                        ExpiresAt: null
                    )
                ),
            ],
            [
                await passwords.CreateAsync(
                    tenantId,
                    userId,
                    email,
                    await hashing.HashAsync(password, cancellationToken),
                    cancellationToken
                ),
                ApiKeySecret.Store(tenantId, keyId, secret),
            ],
            cancellationToken
        );
        if (result.Conflict is not null)
            throw new InvalidOperationException("The ids of the first start exist already.");
        await organization.FindAsync(cancellationToken);

        await Console.Out.WriteLineAsync(Welcome(email, givenPassword is null ? password : null, secret));
    }

    private string? Setting(string name) => configuration[name] is { Length: > 0 } value ? value : null;

    private string Welcome(string email, string? password, string secret)
    {
        var url = (configuration["Urls"] ?? "http://localhost:8080")
            .Split(';')[0]
            .TrimEnd('/')
            .Replace("*", "localhost", StringComparison.Ordinal)
            .Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
        return $$"""

            This is the first start. Keep these two; they are not shown again.

              Administrator  {{email}}
              {{(
                password is null
                    ? "Password       as set by Identity:AdministratorPassword"
                    : "One-time password  " + password
            )}}
              API key        {{secret}}

            A first call:

            curl {{url}}/v1/chat/completions -H 'Authorization: Bearer {{secret}}' -H 'Content-Type: application/json' -d '{"model":"simulator","messages":[{"role":"user","content":"Hello!"}]}'

            """;
    }
}
