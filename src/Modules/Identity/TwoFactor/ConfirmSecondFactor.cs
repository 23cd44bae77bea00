using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>That the authenticator has the secret.</summary>
public sealed record ConfirmSecondFactorRequest(
    [property: Required, StringLength(20)] [property: Description("The code that it shows.")] string Code
);

/// <summary>Codes for whoever has lost their authenticator; shown in this answer only.</summary>
/// <param name="RecoveryCodes">Each works once.</param>
public sealed record RecoveryCodesResponse(IReadOnlyList<string> RecoveryCodes)
{
    internal static readonly RecoveryCodesResponse Example = new(["k7m2p-9xw4t-hq3vd", "b4n8c-2zr6y-fj5sk"]);
}

internal sealed class ConfirmSecondFactor : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/second-factor/confirmation", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .LimitByAddress(AddressLimit.Logins)
            .WithTags("Second factor")
            .WithSummary("Enable the second factor")
            .WithDescription(
                "With a code of the authenticator that was set up. From now on logins with your password ask for one. Keep the recovery codes: they are shown only here."
            )
            .WithRequestExample(new ConfirmSecondFactorRequest("492039"))
            .WithResponseExample(StatusCodes.Status200OK, RecoveryCodesResponse.Example)
            .ProducesError(
                FactorChanges.WrongCode.Status,
                FactorChanges.WrongCode.Code,
                FactorChanges.WrongCode.Message
            )
            .ProducesError(FactorChanges.NotBegun.Status, FactorChanges.NotBegun.Code, FactorChanges.NotBegun.Message)
            .ProducesError(
                FactorChanges.AlreadyEnabled.Status,
                FactorChanges.AlreadyEnabled.Code,
                FactorChanges.AlreadyEnabled.Message
            );

    private static async Task<Results<Ok<RecoveryCodesResponse>, ProblemHttpResult>> HandleAsync(
        ConfirmSecondFactorRequest request,
        Caller caller,
        HttpContext http,
        FactorChanges changes,
        CancellationToken cancellationToken
    )
    {
        var (codes, refusal) = await changes.ConfirmAsync(http, caller, request.Code, cancellationToken);
        if (codes is null)
            return refusal!;
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RecoveryCodesResponse(codes));
    }
}
