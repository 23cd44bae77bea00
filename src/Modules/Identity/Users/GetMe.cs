using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>The account behind the credential.</summary>
/// <param name="UserId">The person.</param>
/// <param name="OrganizationId">The organization that the credential speaks for.</param>
/// <param name="Email">The address of the account.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="Actor">How this credential appears in the record of events.</param>
/// <param name="Scopes">What this credential may do.</param>
/// <param name="MustChangePassword">True until the one-time password was replaced.</param>
public sealed record MeResponse(
    Guid UserId,
    Guid OrganizationId,
    string Email,
    Role Role,
    string Actor,
    IReadOnlyList<string> Scopes,
    bool MustChangePassword
);

internal sealed class GetMe : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/me", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Authentication")
            .WithSummary("See who you are")
            .WithDescription("The account behind the credential, and what the credential may do.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new MeResponse(
                    UserResponse.Example.Id,
                    Guid.Parse("0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"),
                    UserResponse.Example.Email,
                    UserResponse.Example.Role,
                    "user:0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35",
                    ["account:read", "account:write", "audit:read"],
                    UserResponse.Example.MustChangePassword
                )
            )
            .ProducesError(404, "identity.user-not-found", "There is no such account.");

    private static async Task<Results<Ok<MeResponse>, ProblemHttpResult>> HandleAsync(
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var user = await store.LoadAsync<User>(caller.Access, caller.PrincipalId, cancellationToken);
        if (user is null)
            return Problems.NotFound("identity.user-not-found", "There is no such account.");
        return TypedResults.Ok(
            new MeResponse(
                caller.PrincipalId,
                caller.TenantId,
                user.Value.Email,
                user.Value.Role,
                caller.Actor,
                [.. caller.Scopes.Order(StringComparer.Ordinal)],
                user.Value.MustChangePassword
            )
        );
    }
}
