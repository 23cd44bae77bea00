using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>An invitation that whoever has its token can accept.</summary>
/// <param name="TenantId">The organization.</param>
/// <param name="Organization">What that is called.</param>
/// <param name="Id">The invitation.</param>
/// <param name="Invitation">What it says.</param>
/// <param name="AccountId">The account with its address, or null when there is none yet.</param>
/// <param name="TokenHash">Of its token.</param>
internal sealed record OpenInvitation(
    Guid TenantId,
    string Organization,
    Guid Id,
    Invitation Invitation,
    Guid? AccountId,
    byte[] TokenHash
);

/// <summary>Who has joined.</summary>
/// <param name="TenantId">The organization.</param>
/// <param name="UserId">The person.</param>
/// <param name="Email">Their address.</param>
/// <param name="Role">What they are.</param>
/// <param name="IsNew">The account was made by this.</param>
internal sealed record Accepted(Guid TenantId, Guid UserId, string Email, Role Role, bool IsNew);

/// <summary>
/// Accepts invitations: for the API, and for the page that the link leads to. The link proves that somebody reads the address's mails. That is
/// enough to make an account, and never enough to enter one that is there: whoever has one must be logged in as it.
/// </summary>
[Singleton]
internal sealed class InvitationAcceptance(
    Database database,
    DocumentStore store,
    PasswordStore passwords,
    PasswordHashing hashing,
    Standings standings,
    TimeProvider time
)
{
    /// <summary>The same for a token that is wrong, was used, revoked or replaced, or has ended.</summary>
    public static readonly Refusal NotFound = new(
        RefusalKind.NotFound,
        "identity.invitation-not-found",
        "This invitation does not exist, was used or revoked, or has ended; ask for another."
    );

    public static readonly Refusal LogInFirst = new(
        RefusalKind.Forbidden,
        "identity.log-in-first",
        "There is an account with the address of this invitation: log in as it, then accept."
    );

    public static readonly Refusal PasswordNeeded = new(
        RefusalKind.Invalid,
        "identity.password-needed",
        "There is no account with the address of this invitation yet: give a password for it."
    );

    private const string Used = "VB101";

    /// <summary>What a token invites to, or null.</summary>
    public async Task<OpenInvitation?> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (!InvitationToken.LooksLikeOne(token))
            return null;
        var hash = SecretHash.Of(token).ToArray();
        if (await ReadTokenAsync(hash, cancellationToken) is not var (tenantId, id))
            return null;
        var access = Access.ToAll(tenantId);
        if (
            await store.LoadAsync<Invitation>(access, id, cancellationToken)
                is not { Value: { IsOpen: true } invitation }
            || await store.LoadAsync<Organization>(access, tenantId, cancellationToken)
                is not { Value: { SuspendedAt: null } organization }
        )
            return null;
        var account = await passwords.FindByEmailAsync(invitation.Email, cancellationToken);
        return new OpenInvitation(tenantId, organization.Name, id, invitation, account?.UserId, hash);
    }

    /// <summary>Makes the caller, or a new person, a member.</summary>
    /// <param name="http">The request.</param>
    /// <param name="open">What <see cref="FindAsync"/> has found.</param>
    /// <param name="caller">Who is logged in, or null.</param>
    /// <param name="password">Of a new person's account.</param>
    /// <param name="name">What a new person is called, or null.</param>
    /// <param name="cancellationToken">Gives up before anything is recorded.</param>
    public async Task<(Accepted? Accepted, Refusal? Refusal)> AcceptAsync(
        HttpContext http,
        OpenInvitation open,
        Caller? caller,
        string? password,
        string? name,
        CancellationToken cancellationToken
    )
    {
        var invitation = open.Invitation;
        var now = time.GetUtcNow();
        var userId = open.AccountId ?? invitation.UserId;
        var events = new List<IEvent> { new UserJoined(invitation.Email, invitation.Role, now, open.Id) };
        var writes = new List<SqlWrite>
        {
            new("select identity.use_invitation($1, $2, $3)", open.TenantId, open.Id, open.TokenHash),
        };
        if (open.AccountId is { } account)
        {
            // An API key does not do: who has it has not shown that they are the person.
            if (caller?.PrincipalId != account || caller.LoginId is null)
                return (null, await RefuseForAccountAsync(open, cancellationToken));
            if (caller.Pending is { } pending)
                return (null, new Refusal(RefusalKind.Forbidden, pending.Code, pending.Message));
        }
        else
        {
            if (password is null)
                return (null, PasswordNeeded);
            if (PasswordRules.Check(password, invitation.Email, open.Organization) is { } weakness)
                return (null, weakness);
            var hash = await hashing.HashAsync(password, cancellationToken);
            writes.Add(await passwords.CreateAsync(open.TenantId, userId, invitation.Email, hash, cancellationToken));
            if (name is not null)
                events.Add(new ProfileChanged(name, Locale: null, TimeZone: null, Preferences: null));
        }

        try
        {
            var outcome = await store.DecideAsync<User>(
                new AppendContext(open.TenantId, $"user:{userId}", RequestId.Of(http)) { Subject = userId },
                userId,
                member =>
                    member is { RemovedAt: null }
                        // A member needs no invitation; or another request with this very token was faster.
                        ? Decision.Refuse(NotFound.Kind, NotFound.Code, NotFound.Message)
                        : Decision.Append(events).AlsoWriting([.. writes]),
                cancellationToken
            );
            standings.Forget(userId);
            if (outcome.Match<Refusal?>(_ => null, refusal => refusal) is { } refused)
                return (null, refused);
        }
        catch (PostgresException e) when (e.SqlState == Used)
        {
            return (null, NotFound);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // An account with this address was made in the meantime.
            return (null, await RefuseForAccountAsync(open, cancellationToken));
        }
        await CloseAsync(
            new AppendContext(open.TenantId, $"user:{userId}", RequestId.Of(http)) { Subject = userId },
            open.Id,
            userId,
            now,
            cancellationToken
        );
        return (new Accepted(open.TenantId, userId, invitation.Email, invitation.Role, open.AccountId is null), null);
    }

    // The account may be the one that another request has just made with this very token, which is used then.
    private async Task<Refusal> RefuseForAccountAsync(OpenInvitation open, CancellationToken cancellationToken) =>
        await ReadTokenAsync(open.TokenHash, cancellationToken) is null ? NotFound : LogInFirst;

    /// <summary>Records on the invitation that its person has joined.</summary>
    public Task CloseAsync(
        AppendContext context,
        Guid invitationId,
        Guid userId,
        DateTimeOffset at,
        CancellationToken cancellationToken
    ) =>
        store.DecideAsync<Invitation>(
            context,
            invitationId,
            invitation =>
                invitation switch
                {
                    null => Invitation.NotFound,
                    { IsOpen: false } => Decision.Nothing,
                    _ => Decision.Append(new InvitationAccepted(userId, at)),
                },
            cancellationToken
        );

    private async Task<(Guid TenantId, Guid Id)?> ReadTokenAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select tenant_id, invitation_id from identity.invitation_tokens where hash = $1 and expires_at > $2"
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetGuid(0), reader.GetGuid(1)) : null;
    }
}
