using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Organizations;

internal sealed class GetOwnOrganization : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/organization", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Organizations")
            .WithSummary("See your organization")
            .WithDescription("The organization that your credential speaks for.")
            .WithResponseExample(StatusCodes.Status200OK, OrganizationResponse.Example);

    private static async Task<Ok<OrganizationResponse>> HandleAsync(
        Caller caller,
        HttpContext http,
        DocumentStore store,
        FirstOrganization first,
        CancellationToken cancellationToken
    )
    {
        var organization =
            await store.LoadAsync<Organization>(caller.Access, caller.TenantId, cancellationToken)
            ?? throw new InvalidOperationException("The caller's organization does not exist.");
        return OrganizationResponse.Show(caller.TenantId, organization, first, http);
    }
}
