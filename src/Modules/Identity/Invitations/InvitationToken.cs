using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>The token of an invitation's link. The server keeps its hash.</summary>
internal static class InvitationToken
{
    public const string Start = "vi_";

    public static string New() => OpaqueSecret.New(Start);

    public static bool LooksLikeOne(string token) => OpaqueSecret.LooksLikeOne(token, Start);

    /// <summary>Where the invitation is accepted.</summary>
    public static Uri LinkOf(Issuer issuer, string token) => new(issuer.Locate("/invitation?token=" + token));

    /// <summary>The statement that lets a token be used.</summary>
    public static SqlWrite Store(Guid tenantId, Guid invitationId, string token, DateTimeOffset expiresAt) =>
        new(
            "insert into identity.invitation_tokens (hash, tenant_id, invitation_id, expires_at) values ($1, $2, $3, $4)",
            SecretHash.Of(token).ToArray(),
            tenantId,
            invitationId,
            expiresAt.UtcDateTime
        );

    /// <summary>The statement after which no token of the invitation can be used.</summary>
    public static SqlWrite RemoveAll(Guid tenantId, Guid invitationId) =>
        new(
            "delete from identity.invitation_tokens where tenant_id = $1 and invitation_id = $2",
            tenantId,
            invitationId
        );

    /// <summary>The statements that make the invitation the one open invitation of its address; another one makes it fail with a unique violation.</summary>
    public static SqlWrite[] Open(
        Guid tenantId,
        Guid invitationId,
        byte[] emailHash,
        DateTimeOffset expiresAt,
        DateTimeOffset now
    ) =>
        [
            new(
                """
                delete from identity.open_invitations
                where tenant_id = $1 and email_hash = $2 and (expires_at <= $3 or invitation_id = $4)
                """,
                tenantId,
                emailHash,
                now.UtcDateTime,
                invitationId
            ),
            new(
                """
                insert into identity.open_invitations (tenant_id, email_hash, invitation_id, expires_at)
                values ($1, $2, $3, $4)
                """,
                tenantId,
                emailHash,
                invitationId,
                expiresAt.UtcDateTime
            ),
        ];

    /// <summary>The statement after which the address can be invited anew.</summary>
    public static SqlWrite Close(Guid tenantId, Guid invitationId) =>
        new(
            "delete from identity.open_invitations where tenant_id = $1 and invitation_id = $2",
            tenantId,
            invitationId
        );
}
