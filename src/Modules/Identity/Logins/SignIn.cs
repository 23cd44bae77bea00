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

/// <summary>Who logs in.</summary>
public sealed record SignInRequest(
    [property: Required, StringLength(254)] [property: Description("The address of the account.")] string Email,
    [property: Required, StringLength(1000)]
    [property: Description("The password, or the one-time password.")]
        string Password,
    [property: Description("The organization to act in; if left out, the first of the person's that is active.")]
        Guid? OrganizationId = null,
    [property: Description(
        "True for a browser: the login is kept in a cookie that scripts cannot read, instead of tokens in the answer."
    )]
        bool Cookie = false
);

internal sealed class SignIn : IEndpoint
{
    internal static readonly HttpError WrongCredentials = new(
        401,
        "identity.wrong-credentials",
        "The address or the password is wrong."
    );

    internal static readonly HttpError SecondFactorRequired = new(
        401,
        "identity.second-factor-required",
        "The password is right; send 'challenge' with a code of your authenticator to POST /api/auth/login/second-factor within five minutes."
    );

    internal static readonly HttpError ChallengeExpired = new(
        401,
        "identity.challenge-expired",
        "The login was begun too long ago, or elsewhere; begin again with the password."
    );

    internal static readonly HttpError NoMembership = new(
        403,
        "identity.no-membership",
        "You are no active member of this organization."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/login", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Logins)
            .RecordsFailedProofs()
            .WithTags("Authentication")
            .WithSummary("Log in")
            .WithDescription(
                "Exchanges an address and a password for an access token of 15 minutes and a refresh token, or for a cookie. Every attempt is recorded. A login with a one-time password (`mustChangePassword`) reaches your own profile, the change of the password and the end of logins; all else answers 403 `identity.password-change-required` until the password is changed."
            )
            .WithRequestExample(new SignInRequest("ada@example.org", "correct horse battery staple"))
            .WithResponseExample(StatusCodes.Status200OK, SignInResponse.Example)
            .ProducesError(WrongCredentials.Status, WrongCredentials.Code, WrongCredentials.Message)
            .ProducesError(SecondFactorRequired.Status, SecondFactorRequired.Code, SecondFactorRequired.Message)
            .ProducesError(LoginGuard.TooMany.Status, LoginGuard.TooMany.Code, LoginGuard.TooMany.Message)
            .ProducesError(NoMembership.Status, NoMembership.Code, NoMembership.Message);

    private static async Task<Results<Ok<SignInResponse>, ProblemHttpResult>> HandleAsync(
        SignInRequest request,
        HttpContext http,
        LoginFlow flow,
        CancellationToken cancellationToken
    )
    {
        var wish = new LoginWish(request.OrganizationId, request.Cookie, MayChoose: false);
        return Answer(http, await flow.BeginAsync(http, request.Email, request.Password, wish, cancellationToken));
    }

    /// <summary>A step as the API answers it.</summary>
    internal static Results<Ok<SignInResponse>, ProblemHttpResult> Answer(HttpContext http, LoginStep step)
    {
        switch (step)
        {
            case LoginStep.Started started:
                return TypedResults.Ok(
                    SignInResponse.From(started.Login, started.TenantId, started.MustChangePassword)
                );
            case LoginStep.TooMany { RetryAfter: var retryAfter }:
                return LoginGuard.Refuse(http, retryAfter);
            case LoginStep.NeedsFactor { Challenge: var challenge }:
                http.Response.Headers.CacheControl = "no-store";
                var problem = Problems.Create(SecondFactorRequired);
                problem.ProblemDetails.Extensions["challenge"] = challenge;
                return problem;
            case LoginStep.NoMembership:
                return Problems.Create(NoMembership);
            case LoginStep.Expired:
                return Problems.Create(ChallengeExpired);
            default:
                return Problems.Create(WrongCredentials);
        }
    }
}
