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

namespace Verbatim.Modules.Identity.LoginPolicies;

/// <summary>What the organization is to ask of its members' logins.</summary>
public sealed record SetLoginPolicyRequest(
    [property: Required]
    [property: Description("Whoever logs in with a password needs a second factor.")]
        bool? SecondFactorRequired
);

internal sealed class SetLoginPolicy : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPut("/login-policy", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Logins")
            .WithSummary("Set the login policy")
            .WithDescription(
                "Holds for logins that start from now on. Whoever lacks a second factor that is required can do nothing but set one up, and then logs in again. Logins at another identity provider are not asked."
            )
            .WithRequestExample(new SetLoginPolicyRequest(SecondFactorRequired: true))
            .WithResponseExample(StatusCodes.Status200OK, new LoginPolicyResponse(SecondFactorRequired: true));

    private static async Task<Results<Ok<LoginPolicyResponse>, ProblemHttpResult>> HandleAsync(
        SetLoginPolicyRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<LoginPolicy>(
            caller.For(http),
            LoginPolicyGate.IdOf(caller.TenantId),
            policy => Decide(policy, request),
            cancellationToken
        );
        return outcome.Match<Results<Ok<LoginPolicyResponse>, ProblemHttpResult>>(
            policy =>
            {
                EntityTags.Set(http, policy.Version);
                return TypedResults.Ok(new LoginPolicyResponse(policy.Value.SecondFactorRequired));
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(LoginPolicy? policy, SetLoginPolicyRequest request) =>
        policy?.SecondFactorRequired == request.SecondFactorRequired
            ? Decision.Nothing
            : Decision.Append(new LoginPolicySet(request.SecondFactorRequired is true));
}
