using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>An organization to make.</summary>
public sealed record CreateOrganizationRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: Description("What it is called; two organizations may have the same name.")]
        string Name
);

internal sealed class CreateOrganization : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/organizations", HandleAsync)
            .RequireScope(Scopes.OrganizationsWrite)
            .WithTags("Organizations")
            .WithSummary("Make an organization")
            .WithDescription(
                "Makes an organization, of which you become the first administrator: go on there with `POST /api/auth/organization` and invite others. For administrators of the organization that runs the installation."
            )
            .WithRequestExample(new CreateOrganizationRequest(OrganizationResponse.Example.Name))
            .WithResponseExample(StatusCodes.Status201Created, OrganizationResponse.Example)
            .ProducesError(Installation.Refused.Status, Installation.Refused.Code, Installation.Refused.Message)
            .ProducesError(
                422,
                "identity.person-needed",
                "An organization needs an administrator who is a person; make it as one."
            );

    private static async Task<Results<Created<OrganizationResponse>, ProblemHttpResult>> HandleAsync(
        CreateOrganizationRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        FirstOrganization first,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (!caller.RunsInstallation)
            return Problems.Create(Installation.Refused);
        var person = await store.LoadAsync<User>(caller.Access, caller.PrincipalId, cancellationToken);
        if (person is null)
            return Problems.Create(
                new HttpError(
                    422,
                    "identity.person-needed",
                    "An organization needs an administrator who is a person; make it as one."
                )
            );

        var id = ids.New();
        var now = time.GetUtcNow();
        var result = await store.CreateAsync(
            caller.For(http) with
            {
                TenantId = id,
            },
            [
                store.New<Organization>(id, new OrganizationCreated(request.Name, now)),
                store.New<User>(
                    caller.PrincipalId,
                    new UserJoined(person.Value.Email, Role.Admin, now, InvitationId: null)
                ),
            ],
            [],
            cancellationToken
        );
        if (result.Conflict is not null)
            throw new InvalidOperationException("The id of the organization exists already.");
        EntityTags.Set(http, 1);
        return TypedResults.Created(
            $"/api/organizations/{id}",
            OrganizationResponse.From(id, new Organization(request.Name, now, SuspendedAt: null), first)
        );
    }
}
