using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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

/// <summary>What the organization is called from now on.</summary>
public sealed record RenameOrganizationRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: Description("What it is called; two organizations may have the same name.")]
        string Name
);

internal sealed class RenameOrganization : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/organization", HandleAsync)
            .RequireScope(Scopes.OrganizationsWrite)
            .WithTags("Organizations")
            .WithSummary("Rename your organization")
            .WithDescription("The name is for people: everything is found by the id, which stays.")
            .WithRequestExample(new RenameOrganizationRequest(OrganizationResponse.Example.Name))
            .WithResponseExample(StatusCodes.Status200OK, OrganizationResponse.Example)
            .ProducesError(404, "identity.organization-not-found", "There is no such organization.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<OrganizationResponse>, ProblemHttpResult>> HandleAsync(
        RenameOrganizationRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        FirstOrganization first,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<Organization>(
            caller.For(http),
            caller.TenantId,
            organization => Decide(organization, request.Name),
            cancellationToken
        );
        return outcome.Match<Results<Ok<OrganizationResponse>, ProblemHttpResult>>(
            organization => OrganizationResponse.Show(caller.TenantId, organization, first, http),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Organization? organization, string name) =>
        organization is null ? Organization.NotFound
        : organization.Name == name ? Decision.Nothing
        : Decision.Append(new OrganizationRenamed(name));
}
