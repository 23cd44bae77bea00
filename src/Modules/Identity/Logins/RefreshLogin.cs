using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>A refresh token.</summary>
public sealed record RefreshLoginRequest(
    [property: Required, StringLength(200)]
    [property: Description("As the login or the last refresh gave it. It works once.")]
        string RefreshToken
);

internal sealed class RefreshLogin : IEndpoint
{
    private static readonly HttpError Refused = new(
        401,
        "identity.refresh-token-invalid",
        "The refresh token is unknown, has ended, or was used before; log in again."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/refresh", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Tokens)
            .WithTags("Authentication")
            .WithSummary("Renew the access token")
            .WithDescription(
                """
                Exchanges a refresh token for a new access token and the next refresh token. A token that comes back after it was used ends the
                whole login: it cannot be told who of the two that have it is the thief.
                """
            )
            .WithRequestExample(new RefreshLoginRequest(SignInResponse.Example.RefreshToken!))
            .WithResponseExample(StatusCodes.Status200OK, SignInResponse.Example)
            .ProducesError(Refused.Status, Refused.Code, Refused.Message);

    private static async Task<Results<Ok<SignInResponse>, ProblemHttpResult>> HandleAsync(
        RefreshLoginRequest request,
        HttpContext http,
        RefreshTokens tokens,
        OneTimePasswords oneTimePasswords,
        CancellationToken cancellationToken
    )
    {
        http.Response.Headers.CacheControl = "no-store";
        var outcome = await tokens.RefreshAsync(
            http,
            request.RefreshToken,
            clientId: null,
            scopes: null,
            cancellationToken
        );
        if (outcome is not RefreshOutcome.Refreshed { Started: var started, TenantId: var tenantId })
            return Problems.Create(Refused);
        var pending = await oneTimePasswords.PendingOfAsync(tenantId, started.Id, cancellationToken);
        return TypedResults.Ok(SignInResponse.From(started, tenantId, mustChangePassword: pending is not null));
    }
}
