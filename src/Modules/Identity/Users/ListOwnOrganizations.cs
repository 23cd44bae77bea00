using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>An organization that a person belongs to.</summary>
/// <param name="Id">The organization.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Role">What the person is there.</param>
/// <param name="IsActive">False while the person, there, or the organization is suspended.</param>
/// <param name="IsCurrent">True for the organization that the credential speaks for.</param>
public sealed record MembershipResponse(Guid Id, string Name, Role Role, bool IsActive, bool IsCurrent);

internal sealed class ListOwnOrganizations : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/me/organizations", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Authentication")
            .WithSummary("List your organizations")
            .WithDescription(
                "The organizations that you belong to, the oldest first. Go on in another with `POST /api/auth/organization`."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<MembershipResponse>(
                    [
                        new MembershipResponse(
                            MeResponse.Example.OrganizationId,
                            "Analytical Engines",
                            Role.Auditor,
                            IsActive: true,
                            IsCurrent: true
                        ),
                    ],
                    NextCursor: null
                )
            );

    private static async Task<Results<Ok<Page<MembershipResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        Memberships memberships,
        CancellationToken cancellationToken
    )
    {
        if (!page.TryReadIdCursor(out var after))
            return Problems.Create(PageRequest.InvalidCursor);
        // Of one person: few enough to read them all. In the database's order of ids, which is that of their bytes.
        var all = await memberships.ListAsync(caller.PrincipalId, cancellationToken);
        var rest = after is null ? all : [.. all.SkipWhile(m => m.TenantId != after).Skip(1)];
        return TypedResults.Ok(
            page.Cut(
                rest,
                m => new MembershipResponse(
                    m.TenantId,
                    m.Organization,
                    m.Role,
                    m.IsActive,
                    m.TenantId == caller.TenantId
                ),
                m => m.TenantId
            )
        );
    }
}
