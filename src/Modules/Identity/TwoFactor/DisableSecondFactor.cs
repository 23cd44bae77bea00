using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>Both proofs once more.</summary>
public sealed record DisableSecondFactorRequest(
    [property: Required, StringLength(PasswordRules.MaxLength)]
    [property: Description("Your password.")]
        string CurrentPassword,
    [property: Required, StringLength(40)]
    [property: Description("A code of the authenticator, or a recovery code.")]
        string Code
);

internal sealed class DisableSecondFactor : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/second-factor/disable", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Second factor")
            .WithSummary("Disable your second factor")
            .WithDescription("Your password alone logs you in again. The secret and the recovery codes are forgotten.")
            .WithRequestExample(new DisableSecondFactorRequest("correct horse battery staple", "492039"))
            .ProducesError(OwnPassword.Wrong.Status, OwnPassword.Wrong.Code, OwnPassword.Wrong.Message)
            .ProducesError(
                FactorChanges.WrongCode.Status,
                FactorChanges.WrongCode.Code,
                FactorChanges.WrongCode.Message
            )
            .ProducesError(OwnPassword.NoAccount.Status, OwnPassword.NoAccount.Code, OwnPassword.NoAccount.Message)
            .ProducesError(LoginGuard.TooMany.Status, LoginGuard.TooMany.Code, LoginGuard.TooMany.Message)
            .ProducesError(
                FactorChanges.NotEnabled.Status,
                FactorChanges.NotEnabled.Code,
                FactorChanges.NotEnabled.Message
            );

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        DisableSecondFactorRequest request,
        Caller caller,
        HttpContext http,
        FactorChanges changes,
        CancellationToken cancellationToken
    ) =>
        await changes.DisableAsync(http, caller, request.CurrentPassword, request.Code, cancellationToken)
            is { } refusal
            ? refusal
            : TypedResults.NoContent();
}
