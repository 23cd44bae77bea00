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

namespace Verbatim.Modules.Identity.ServiceAccounts;

/// <summary>A service account to make.</summary>
public sealed record CreateServiceAccountRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: Description("What it is for; nothing about a person, since it is not erased with one.")]
        string Name,
    [property: Required, EnumDataType(typeof(Role))]
    [property: Description("What it may do: a role that may nothing that you may not.")]
        Role? Role
);

internal sealed class CreateServiceAccount : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/service-accounts", HandleAsync)
            .RequireScope(Scopes.ServiceAccountsWrite)
            .WithTags("Service accounts")
            .WithSummary("Make a service account")
            .WithDescription(
                "Makes a machine of your organization. It acts through API keys of its own, which go on working when whoever made them leaves."
            )
            .WithRequestExample(
                new CreateServiceAccountRequest(
                    ServiceAccountResponse.Example.Name,
                    ServiceAccountResponse.Example.Role
                )
            )
            .WithResponseExample(StatusCodes.Status201Created, ServiceAccountResponse.Example)
            .ProducesError(
                403,
                "identity.role-beyond-yours",
                "You cannot give the role 'admin': it may do what your credential may not."
            );

    private static async Task<Results<Created<ServiceAccountResponse>, ProblemHttpResult>> HandleAsync(
        CreateServiceAccountRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        var outcome = await store.DecideAsync<ServiceAccount>(
            caller.For(http),
            id,
            _ => Decide(caller, request, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Created<ServiceAccountResponse>, ProblemHttpResult>>(
            account =>
            {
                EntityTags.Set(http, account.Version);
                return TypedResults.Created(
                    $"/api/service-accounts/{id}",
                    ServiceAccountResponse.From(id, account.Value)
                );
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Caller caller, CreateServiceAccountRequest request, DateTimeOffset now) =>
        RoleGrant.Refuse(caller, request.Role!.Value)
        ?? Decision.Append(new ServiceAccountCreated(request.Name, request.Role.Value, now));
}
