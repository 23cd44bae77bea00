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

/// <summary>Which organizations a list has.</summary>
public sealed record ListOrganizationsRequest
{
    /// <summary>Only those of this status.</summary>
    [QueryWord("active", "suspended")]
    [Description("Only organizations of this status: `active` or `suspended`.")]
    public string? Status { get; init; }
}

internal sealed class ListOrganizations : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/organizations", HandleAsync)
            .RequireScope(Scopes.OrganizationsRead)
            .WithTags("Organizations")
            .WithSummary("List the organizations of the installation")
            .WithDescription(
                "Newest first. For administrators and auditors of the organization that runs the installation; your own organizations are at `GET /api/me/organizations`."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<OrganizationResponse>([OrganizationResponse.Example], NextCursor: null)
            )
            .ProducesError(Installation.Refused.Status, Installation.Refused.Code, Installation.Refused.Message);

    private static async Task<Results<Ok<Page<OrganizationResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListOrganizationsRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        OrganizationDirectory directory,
        FirstOrganization first,
        CancellationToken cancellationToken
    )
    {
        if (!caller.RunsInstallation)
            return Problems.Create(Installation.Refused);
        if (!page.TryReadIdCursor(out var before))
            return Problems.Create(PageRequest.InvalidCursor);
        var rows = await directory.ListAsync(
            before,
            request.Status is null ? null : request.Status == "suspended",
            page.Rows + 1,
            cancellationToken
        );
        return TypedResults.Ok(
            page.Cut(rows, row => OrganizationResponse.From(row.Id, row.Organization, first), row => row.Id)
        );
    }
}
