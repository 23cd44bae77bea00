using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>Finds out, or decides, who one of a provider's people is here.</summary>
internal sealed class ExternalPeople(
    Database database,
    DocumentStore documents,
    PasswordStore accounts,
    BlindIndex blindIndex,
    Standings standings,
    IdSource ids,
    TimeProvider time
)
{
    private const string LastAdministrator = "VB100";

    /// <summary>The person, with the role that the claims give; null when the policy lets nobody in.</summary>
    public async Task<(Guid UserId, Role Role)?> EnterAsync(
        HttpContext http,
        Guid tenantId,
        Guid providerId,
        ProviderSettings provider,
        ExternalClaims claims,
        CancellationToken cancellationToken
    )
    {
        if (claims.RoleUnder(provider) is not { } role)
            return null;
        var subject = await HashSubjectAsync(provider, claims.Subject, cancellationToken);
        if (await FindLinkedAsync(providerId, subject, cancellationToken) is { } linked)
            return await FollowRoleAsync(http, tenantId, linked, provider, role, cancellationToken);
        if (claims is not { IsEmailVerified: true, Email: { } email } || !IsAllowed(email, provider))
            return null;
        var emailHash = await accounts.HashEmailAsync(email, cancellationToken);
        var link = new SqlWrite(
            """
            insert into identity.external_identities (provider_id, subject_hash, tenant_id, user_id, email_hash)
            values ($1, $2, $3, $4, $5)
            """,
            providerId,
            subject,
            tenantId,
            Guid.Empty,
            emailHash
        );
        var account = await accounts.FindByEmailAsync(email, cancellationToken);
        if (account is not null)
        {
            // Only at home: an organization's provider must not speak for people whose account is another organization's.
            if (account.TenantId != tenantId || !await IsMemberAsync(tenantId, account.UserId, cancellationToken))
                return null;
            await LinkAsync(http, tenantId, providerId, account.UserId, isNew: false, link, cancellationToken);
            return await FollowRoleAsync(http, tenantId, account.UserId, provider, role, cancellationToken);
        }
        if (provider.LinkPolicy != LinkPolicy.Create || await IsTakenAsync(tenantId, emailHash, cancellationToken))
            return null;
        var userId = ids.New();
        await CreateAsync(http, tenantId, providerId, userId, email, role, link, cancellationToken);
        return (userId, role);
    }

    /// <summary>Who has logged in as this subject before, or null.</summary>
    public async Task<Guid?> FindAsync(
        Guid providerId,
        ProviderSettings provider,
        string subject,
        CancellationToken cancellationToken
    ) =>
        await FindLinkedAsync(
            providerId,
            await HashSubjectAsync(provider, subject, cancellationToken),
            cancellationToken
        );

    private ValueTask<byte[]> HashSubjectAsync(
        ProviderSettings provider,
        string subject,
        CancellationToken cancellationToken
    ) => blindIndex.HashAsync("identity.external-subject", $"{provider.Issuer}\0{subject}", cancellationToken);

    internal static bool IsAllowed(string email, ProviderSettings provider)
    {
        var at = email.LastIndexOf('@');
        if (
            at <= 0
            || at == email.Length - 1
            || email.Length > 254
            || email.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))
        )
            return false;
        return provider.AllowedDomains.Count == 0
            || provider.AllowedDomains.Contains(email[(at + 1)..], StringComparer.OrdinalIgnoreCase);
    }

    private async Task<Guid?> FindLinkedAsync(Guid providerId, byte[] subject, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select user_id from identity.external_identities where provider_id = $1 and subject_hash = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = providerId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = subject });
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }

    // With another provider of the organization, whose people have no password to be found by.
    private async Task<bool> IsTakenAsync(Guid tenantId, byte[] emailHash, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select exists (select from identity.external_identities where tenant_id = $1 and email_hash = $2)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = emailHash });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<bool> IsMemberAsync(Guid tenantId, Guid userId, CancellationToken cancellationToken) =>
        await documents.LoadAsync<User>(Access.ToAll(tenantId), userId, cancellationToken)
            is { Value: { RemovedAt: null, SuspendedAt: null } };

    // The claims are asked at each login, where the provider says anything of roles.
    private async Task<(Guid UserId, Role Role)?> FollowRoleAsync(
        HttpContext http,
        Guid tenantId,
        Guid userId,
        ProviderSettings provider,
        Role role,
        CancellationToken cancellationToken
    )
    {
        var user = await documents.LoadAsync<User>(Access.ToAll(tenantId), userId, cancellationToken);
        if (user is not { Value: { RemovedAt: null, SuspendedAt: null } member })
            return null;
        if (provider.RoleClaim is null || member.Role == role)
            return (userId, member.Role);
        try
        {
            await documents.DecideAsync<User>(
                ContextFor(http, tenantId, userId),
                userId,
                current =>
                    current is { RemovedAt: null } && current.Role != role
                        ? UserChanger.KeepingAnAdministrator(current, tenantId, new UserRoleChanged(role))
                        : Decision.Nothing,
                cancellationToken
            );
            standings.Forget(userId);
            return (userId, role);
        }
        catch (PostgresException e) when (e.SqlState == LastAdministrator)
        {
            // The last administrator stays one, whatever the provider says.
            return (userId, member.Role);
        }
    }

    private Task<AppendResult> LinkAsync(
        HttpContext http,
        Guid tenantId,
        Guid providerId,
        Guid userId,
        bool isNew,
        SqlWrite link,
        CancellationToken cancellationToken
    ) =>
        documents.CreateAsync(
            ContextFor(http, tenantId, userId),
            [
                documents.New<ExternalLink>(
                    ids.New(),
                    new ExternalIdentityLinked(userId, providerId, isNew, time.GetUtcNow())
                ),
            ],
            [For(link, userId)],
            cancellationToken
        );

    private Task<AppendResult> CreateAsync(
        HttpContext http,
        Guid tenantId,
        Guid providerId,
        Guid userId,
        string email,
        Role role,
        SqlWrite link,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        return documents.CreateAsync(
            ContextFor(http, tenantId, userId),
            [
                documents.New<User>(userId, new UserJoined(email, role, now, InvitationId: null)),
                documents.New<ExternalLink>(
                    ids.New(),
                    new ExternalIdentityLinked(userId, providerId, IsNew: true, now)
                ),
            ],
            [For(link, userId)],
            cancellationToken
        );
    }

    private static SqlWrite For(SqlWrite link, Guid userId) =>
        link with
        {
            Parameters = [.. link.Parameters.Select(p => p is Guid id && id == Guid.Empty ? userId : p)],
        };

    private static AppendContext ContextFor(HttpContext http, Guid tenantId, Guid userId) =>
        new(tenantId, "system:external-login", RequestId.Of(http)) { Subject = userId };
}

/// <summary>An erased person is nobody's at any provider.</summary>
internal sealed class EraseExternalIdentities(Database database) : IErasureStep
{
    public string Name => "external identities";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "delete from identity.external_identities where user_id = $1 and tenant_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = context.TenantId });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
