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

internal sealed class SuspendOrganization : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/organizations/{id:guid}/suspension", HandleAsync)
            .RequireScope(Scopes.OrganizationsWrite)
            .WithTags("Organizations")
            .WithSummary("Suspend an organization")
            .WithDescription(
                "Nobody can act in it any more, and none of its credentials works, within a second on every instance, until it is reactivated; the record stays. The organization that runs the installation cannot be suspended."
            )
            .WithResponseExample(StatusCodes.Status200OK, OrganizationResponse.Example)
            .ProducesError(Installation.Refused.Status, Installation.Refused.Code, Installation.Refused.Message)
            .ProducesError(404, "identity.organization-not-found", "There is no such organization.")
            .ProducesError(
                409,
                "identity.first-organization",
                "The organization that runs the installation cannot be suspended."
            )
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
            organization => Decide(organization, first.Is(id), time.GetUtcNow()),
            cancellationToken
        );
        standings.Forget(id);
        return outcome.Match<Results<Ok<OrganizationResponse>, ProblemHttpResult>>(
            organization => OrganizationResponse.Show(id, organization, first, http),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Organization? organization, bool isFirst, DateTimeOffset now) =>
        organization switch
        {
            null => Organization.NotFound,
            _ when isFirst => Decision.Refuse(
                RefusalKind.Conflict,
                "identity.first-organization",
                "The organization that runs the installation cannot be suspended."
            ),
            { SuspendedAt: not null } => Decision.Nothing,
            _ => Decision.Append(new OrganizationSuspended(now)),
        };
}
