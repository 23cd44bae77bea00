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
public sealed record RenewRecoveryCodesRequest(
    [property: Required, StringLength(PasswordRules.MaxLength)]
    [property: Description("Your password.")]
        string CurrentPassword,
    [property: Required, StringLength(40)]
    [property: Description("A code of the authenticator, or a recovery code.")]
        string Code
);

internal sealed class RenewRecoveryCodes : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/second-factor/recovery-codes", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Second factor")
            .WithSummary("Get new recovery codes")
            .WithDescription("Ten new codes, shown only in this answer; the old ones do not work any more.")
            .WithRequestExample(new RenewRecoveryCodesRequest("correct horse battery staple", "492039"))
            .WithResponseExample(StatusCodes.Status200OK, RecoveryCodesResponse.Example)
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

    private static async Task<Results<Ok<RecoveryCodesResponse>, ProblemHttpResult>> HandleAsync(
        RenewRecoveryCodesRequest request,
        Caller caller,
        HttpContext http,
        FactorChanges changes,
        CancellationToken cancellationToken
    )
    {
        var (codes, refusal) = await changes.RenewCodesAsync(
            http,
            caller,
            request.CurrentPassword,
            request.Code,
            cancellationToken
        );
        if (codes is null)
            return refusal!;
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RecoveryCodesResponse(codes));
    }
}
