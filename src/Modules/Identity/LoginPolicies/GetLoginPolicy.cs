using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.LoginPolicies;

/// <summary>What the organization asks of its members' logins.</summary>
/// <param name="SecondFactorRequired">Whoever logs in with a password needs a second factor.</param>
public sealed record LoginPolicyResponse(bool SecondFactorRequired);

internal sealed class GetLoginPolicy : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/login-policy", HandleAsync)
            .RequireScope(Scopes.UsersRead)
            .WithTags("Logins")
            .WithSummary("Read the login policy")
            .WithDescription("What your organization asks of its members' logins.")
            .WithResponseExample(StatusCodes.Status200OK, new LoginPolicyResponse(SecondFactorRequired: true));

    private static async Task<Ok<LoginPolicyResponse>> HandleAsync(
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var id = LoginPolicyGate.IdOf(caller.TenantId);
        if (await store.LoadAsync<LoginPolicy>(caller.Access, id, cancellationToken) is not { } policy)
            return TypedResults.Ok(new LoginPolicyResponse(SecondFactorRequired: false));
        EntityTags.Set(http, policy.Version);
        return TypedResults.Ok(new LoginPolicyResponse(policy.Value.SecondFactorRequired));
    }
}
