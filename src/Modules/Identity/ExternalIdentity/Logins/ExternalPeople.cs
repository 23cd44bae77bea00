using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Invitations;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>Finds out, or decides, who one of a provider's people is here.</summary>
[Singleton]
internal sealed class ExternalPeople(
    Database database,
    DocumentStore documents,
    PasswordStore accounts,
    BlindIndex blindIndex,
    ExternalInvitations invitations,
    InvitationAcceptance acceptance,
    Standings standings,
    IdSource ids,
    TimeProvider time
)
{
    private const string LastAdministrator = "VB100";

    // Raised by identity.use_open_invitation.
    private const string InvitationUsed = "VB101";

    /// <summary>One of a provider's people who is not known here yet.</summary>
    private sealed record NewLink(Guid TenantId, Guid ProviderId, byte[] Subject, byte[] EmailHash)
    {
        /// <summary>The statement that makes them known as a person of ours.</summary>
        public SqlWrite Store(Guid userId, Guid? invitationId) =>
            new(
                """
                insert into identity.external_identities
                    (provider_id, subject_hash, tenant_id, user_id, email_hash, invitation_id)
                values ($1, $2, $3, $4, $5, $6)
                """,
                ProviderId,
                Subject,
                TenantId,
                userId,
                EmailHash,
                invitationId ?? (object)DBNull.Value
            );
    }

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
        var subject = await HashSubjectAsync(provider, claims.Subject, cancellationToken);
        if (await FindLinkedAsync(providerId, subject, cancellationToken) is var (linked, invitationId))
        {
            var invited = await invitations.RoleOfAsync(tenantId, invitationId, cancellationToken);
            return claims.RoleUnder(provider, invited) is { } given
                ? await FollowRoleAsync(http, tenantId, linked, provider, given, cancellationToken)
                : null;
        }
        if (claims is not { IsEmailVerified: true, Email: { } email } || !IsAllowed(email, provider))
            return null;
        var link = new NewLink(tenantId, providerId, subject, await accounts.HashEmailAsync(email, cancellationToken));
        var account = await accounts.FindByEmailAsync(email, cancellationToken);
        if (provider.LinkPolicy == LinkPolicy.InviteOnly)
            // Whoever has an account accepts an invitation as that account: with its link, logged in.
            return account is null && !await IsTakenAsync(link, cancellationToken)
                ? await AcceptInvitationAsync(http, link, provider, claims, cancellationToken)
                : null;
        if (claims.RoleUnder(provider) is not { } role)
            return null;
        if (account is not null)
        {
            // Only at home: an organization's provider must not speak for people whose account is another organization's.
            if (account.TenantId != tenantId || !await IsMemberAsync(tenantId, account.UserId, cancellationToken))
                return null;
            await LinkAsync(http, link, account.UserId, cancellationToken);
            return await FollowRoleAsync(http, tenantId, account.UserId, provider, role, cancellationToken);
        }
        if (provider.LinkPolicy != LinkPolicy.Create || await IsTakenAsync(link, cancellationToken))
            return null;
        var userId = ids.New();
        await CreateAsync(http, link, userId, email, role, invitation: null, cancellationToken);
        return (userId, role);
    }

    /// <summary>Who has logged in as this subject before, or null.</summary>
    public async Task<Guid?> FindAsync(
        Guid providerId,
        ProviderSettings provider,
        string subject,
        CancellationToken cancellationToken
    ) =>
        (
            await FindLinkedAsync(
                providerId,
                await HashSubjectAsync(provider, subject, cancellationToken),
                cancellationToken
            )
        )?.UserId;

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

    private async Task<(Guid UserId, Guid? InvitationId)?> FindLinkedAsync(
        Guid providerId,
        byte[] subject,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select user_id, invitation_id from identity.external_identities
            where provider_id = $1 and subject_hash = $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = providerId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = subject });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return (reader.GetGuid(0), await reader.IsDBNullAsync(1, cancellationToken) ? null : reader.GetGuid(1));
    }

    // With another provider of the organization, whose people have no password to be found by.
    private async Task<bool> IsTakenAsync(NewLink link, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select exists (select from identity.external_identities where tenant_id = $1 and email_hash = $2)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = link.TenantId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = link.EmailHash });
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

    private async Task<(Guid UserId, Role Role)?> AcceptInvitationAsync(
        HttpContext http,
        NewLink link,
        ProviderSettings provider,
        ExternalClaims claims,
        CancellationToken cancellationToken
    )
    {
        if (
            await invitations.FindAsync(link.TenantId, link.EmailHash, cancellationToken)
                is not { Value: { } invitation } found
            || claims.RoleUnder(provider, invitation.Role) is not { } role
        )
            return null;
        var userId = invitation.UserId;
        try
        {
            var added = await CreateAsync(http, link, userId, invitation.Email, role, found.Id, cancellationToken);
            if (added.Conflict is not null)
                return null;
        }
        catch (PostgresException e) when (e.SqlState == InvitationUsed)
        {
            return null;
        }
        standings.Forget(userId);
        await acceptance.CloseAsync(
            ContextFor(http, link.TenantId, userId),
            found.Id,
            userId,
            time.GetUtcNow(),
            cancellationToken
        );
        return (userId, role);
    }

    private Task<AppendResult> LinkAsync(
        HttpContext http,
        NewLink link,
        Guid userId,
        CancellationToken cancellationToken
    ) =>
        documents.CreateAsync(
            ContextFor(http, link.TenantId, userId),
            [
                documents.New<ExternalLink>(
                    ids.New(),
                    new ExternalIdentityLinked(userId, link.ProviderId, IsNew: false, time.GetUtcNow())
                ),
            ],
            [link.Store(userId, invitationId: null)],
            cancellationToken
        );

    private Task<AppendResult> CreateAsync(
        HttpContext http,
        NewLink link,
        Guid userId,
        string email,
        Role role,
        Guid? invitation,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        return documents.CreateAsync(
            ContextFor(http, link.TenantId, userId),
            [
                documents.New<User>(userId, new UserJoined(email, role, now, invitation)),
                documents.New<ExternalLink>(
                    ids.New(),
                    new ExternalIdentityLinked(userId, link.ProviderId, IsNew: true, now)
                ),
            ],
            invitation is { } id
                ? [invitations.Use(link.TenantId, id), link.Store(userId, id)]
                : [link.Store(userId, invitationId: null)],
            cancellationToken
        );
    }

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
