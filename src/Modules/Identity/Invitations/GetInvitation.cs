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

internal sealed class GetInvitation : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/invitations/{id:guid}", HandleAsync)
            .RequireScope(Scopes.UsersRead)
            .WithTags("Invitations")
            .WithSummary("Read one invitation")
            .WithDescription("Whom it is for, and what became of it. Its link is not shown again.")
            .WithResponseExample(StatusCodes.Status200OK, InvitationResponse.Example)
            .ProducesError(404, "identity.invitation-not-found", "There is no such invitation.");

    private static async Task<Results<Ok<InvitationResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The invitation.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var invitation = await store.LoadAsync<Invitation>(caller.Access, id, cancellationToken);
        if (invitation is null)
            return Problems.NotFound("identity.invitation-not-found", "There is no such invitation.");
        EntityTags.Set(http, invitation.Version);
        return TypedResults.Ok(InvitationResponse.From(id, invitation.Value, time.GetUtcNow()));
    }
}
