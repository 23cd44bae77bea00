using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>The second proof of a login.</summary>
public sealed record SignInWithFactorRequest(
    [property: Required, StringLength(2000)]
    [property: Description("As the answer to the password gave it.")]
        string Challenge,
    [property: Required, StringLength(40)]
    [property: Description("The authenticator's code of six digits, or a recovery code.")]
        string Code
);

internal sealed class SignInWithFactor : IEndpoint
{
    private static readonly HttpError WrongCode = new(
        401,
        "identity.wrong-code",
        "The code is wrong, was used before, or has run out; take the next one."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/login/second-factor", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Logins)
            .RecordsFailedProofs()
            .WithTags("Authentication")
            .WithSummary("Log in: the second factor")
            .WithDescription(
                "Goes on where POST /api/auth/login has answered identity.second-factor-required. A code is taken once. Wrong codes count as failed attempts to log in."
            )
            .WithRequestExample(new SignInWithFactorRequest("nQ0m4vT9xK2c7yB1f6hZ3p8s5dLr0wEaUj", "492039"))
            .WithResponseExample(StatusCodes.Status200OK, SignInResponse.Example)
            .ProducesError(WrongCode.Status, WrongCode.Code, WrongCode.Message)
            .ProducesError(
                SignIn.ChallengeExpired.Status,
                SignIn.ChallengeExpired.Code,
                SignIn.ChallengeExpired.Message
            )
            .ProducesError(LoginGuard.TooMany.Status, LoginGuard.TooMany.Code, LoginGuard.TooMany.Message)
            .ProducesError(SignIn.NoMembership.Status, SignIn.NoMembership.Code, SignIn.NoMembership.Message);

    private static async Task<Results<Ok<SignInResponse>, ProblemHttpResult>> HandleAsync(
        SignInWithFactorRequest request,
        HttpContext http,
        LoginFlow flow,
        CancellationToken cancellationToken
    )
    {
        var step = await flow.ProveFactorAsync(
            http,
            request.Challenge,
            request.Code,
            mayChoose: false,
            cancellationToken
        );
        return step is LoginStep.Wrong ? Problems.Create(WrongCode) : SignIn.Answer(http, step);
    }
}
