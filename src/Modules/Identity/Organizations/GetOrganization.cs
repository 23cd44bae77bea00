using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Organizations;

internal sealed class GetOrganization : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/organizations/{id:guid}", HandleAsync)
            .RequireScope(Scopes.OrganizationsRead)
            .WithTags("Organizations")
            .WithSummary("Read one organization")
            .WithDescription("Your own, or for members of the organization that runs the installation any other.")
            .WithResponseExample(StatusCodes.Status200OK, OrganizationResponse.Example)
            .ProducesError(404, "identity.organization-not-found", "There is no such organization.");

    private static async Task<Results<Ok<OrganizationResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The organization.")] Guid id,
        Caller caller,
        HttpContext http,
        OrganizationDirectory directory,
        FirstOrganization first,
        CancellationToken cancellationToken
    )
    {
        var organization = await directory.FindAsync(caller, id, cancellationToken);
        return organization is null
            ? Problems.NotFound("identity.organization-not-found", "There is no such organization.")
            : OrganizationResponse.Show(id, organization, first, http);
    }
}
