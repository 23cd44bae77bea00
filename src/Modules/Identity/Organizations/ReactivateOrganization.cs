using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Organizations;

internal sealed class ReactivateOrganization : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/organizations/{id:guid}/reactivation", HandleAsync)
            .RequireScope(Scopes.OrganizationsWrite)
            .WithTags("Organizations")
            .WithSummary("Reactivate an organization")
            .WithDescription("Its members and credentials can act again.")
            .WithResponseExample(StatusCodes.Status200OK, OrganizationResponse.Example)
            .ProducesError(Installation.Refused.Status, Installation.Refused.Code, Installation.Refused.Message)
            .ProducesError(404, "identity.organization-not-found", "There is no such organization.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<OrganizationResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The organization.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Standings standings,
        FirstOrganization first,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (!caller.RunsInstallation)
            return Problems.Create(Installation.Refused);
        var outcome = await store.DecideAsync<Organization>(
            caller.For(http) with
            {
                TenantId = id,
            },
            id,
            organization => Decide(organization, time.GetUtcNow()),
            cancellationToken
        );
        standings.Forget(id);
        return outcome.Match<Results<Ok<OrganizationResponse>, ProblemHttpResult>>(
            organization => OrganizationResponse.Show(id, organization, first, http),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Organization? organization, DateTimeOffset now) =>
        organization switch
        {
            null => Organization.NotFound,
            { SuspendedAt: null } => Decision.Nothing,
            _ => Decision.Append(new OrganizationReactivated(now)),
        };
}
