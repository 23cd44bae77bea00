using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ServiceAccounts;

/// <summary>What to change of a service account; what is left out stays as it is.</summary>
public sealed record ChangeServiceAccountRequest(
    [property: StringLength(100, MinimumLength = 1)] [property: Description("What it is for.")] string? Name = null,
    [property: EnumDataType(typeof(Role))]
    [property: Description("What it may do: a role that may nothing that you may not.")]
        Role? Role = null
);

internal sealed class ChangeServiceAccount : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/service-accounts/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ServiceAccountsWrite)
            .WithTags("Service accounts")
            .WithSummary("Change a service account")
            .WithDescription(
                "Renames it or gives it another role, which its keys follow within a second on every instance."
            )
            .WithRequestExample(new ChangeServiceAccountRequest(Role: Role.Viewer))
            .WithResponseExample(StatusCodes.Status200OK, ServiceAccountResponse.Example)
            .ProducesError(
                403,
                "identity.role-beyond-yours",
                "You cannot give the role 'admin': it may do what your credential may not."
            )
            .ProducesError(404, "identity.service-account-not-found", "There is no such service account.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<ServiceAccountResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The service account.")] Guid id,
        ChangeServiceAccountRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Standings standings,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<ServiceAccount>(
            caller.For(http),
            id,
            account => Decide(account, caller, request),
            cancellationToken
        );
        standings.Forget(id);
        return ServiceAccountResponse.Answer(outcome, id, http);
    }

    internal static Decision Decide(ServiceAccount? account, Caller caller, ChangeServiceAccountRequest request)
    {
        if (account is null)
            return ServiceAccount.NotFound;
        var events = new List<IEvent>();
        if (request.Name is { } name && name != account.Name)
            events.Add(new ServiceAccountRenamed(name));
        if (request.Role is { } role && role != account.Role)
        {
            if (RoleGrant.Refuse(caller, role) is { } refusal)
                return refusal;
            events.Add(new ServiceAccountRoleChanged(role));
        }
        return Decision.Append(events);
    }
}
