using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Invitations;

internal sealed class RevokeInvitation : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/invitations/{id:guid}", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Invitations")
            .WithSummary("Revoke an invitation")
            .WithDescription("It cannot be accepted any more. Revoking it again changes nothing.")
            .ProducesError(404, "identity.invitation-not-found", "There is no such invitation.")
            .ProducesError(
                409,
                "identity.invitation-closed",
                "The invitation was accepted already: remove the person instead."
            )
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The invitation.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<Invitation>(
            caller.For(http),
            id,
            invitation => Decide(invitation, caller.TenantId, id, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Invitation? invitation, Guid tenantId, Guid id, DateTimeOffset now) =>
        invitation switch
        {
            null => Invitation.NotFound,
            { AcceptedAt: not null } => Decision.Refuse(
                RefusalKind.Conflict,
                "identity.invitation-closed",
                "The invitation was accepted already: remove the person instead."
            ),
            { RevokedAt: not null } => Decision.Nothing,
            _ => Decision
                .Append(new InvitationRevoked(now))
                .AlsoWriting(InvitationToken.RemoveAll(tenantId, id), InvitationToken.Close(tenantId, id)),
        };
}
