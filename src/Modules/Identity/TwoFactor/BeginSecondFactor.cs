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

/// <summary>A second factor to set up.</summary>
public sealed record BeginSecondFactorRequest(
    [property: Required, StringLength(PasswordRules.MaxLength)]
    [property: Description("Your password.")]
        string CurrentPassword
);

/// <summary>What an authenticator app needs; shown in this answer only.</summary>
/// <param name="Secret">To be typed in, in base32.</param>
/// <param name="Uri">The same as an address of the scheme <c>otpauth</c>.</param>
/// <param name="QrCode">The address as a QR code, an SVG image.</param>
public sealed record BegunSecondFactorResponse(string Secret, string Uri, string QrCode);

internal sealed class BeginSecondFactor : IEndpoint
{
    public const string Issuer = "Verbatim";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/second-factor", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Second factor")
            .WithSummary("Set up a second factor")
            .WithDescription(
                "Makes a secret for an authenticator app (RFC 6238). Nothing changes until it is confirmed with a code; beginning again makes another secret."
            )
            .WithRequestExample(new BeginSecondFactorRequest("correct horse battery staple"))
            .WithResponseExample(
                StatusCodes.Status200OK,
                new BegunSecondFactorResponse(
                    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                    "otpauth://totp/Verbatim:ada%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Verbatim&algorithm=SHA1&digits=6&period=30",
                    "<svg …></svg>"
                )
            )
            .ProducesError(OwnPassword.Wrong.Status, OwnPassword.Wrong.Code, OwnPassword.Wrong.Message)
            .ProducesError(OwnPassword.NoAccount.Status, OwnPassword.NoAccount.Code, OwnPassword.NoAccount.Message)
            .ProducesError(LoginGuard.TooMany.Status, LoginGuard.TooMany.Code, LoginGuard.TooMany.Message)
            .ProducesError(
                FactorChanges.AlreadyEnabled.Status,
                FactorChanges.AlreadyEnabled.Code,
                FactorChanges.AlreadyEnabled.Message
            );

    private static async Task<Results<Ok<BegunSecondFactorResponse>, ProblemHttpResult>> HandleAsync(
        BeginSecondFactorRequest request,
        Caller caller,
        HttpContext http,
        FactorChanges changes,
        CancellationToken cancellationToken
    )
    {
        var (secret, account, refusal) = await changes.BeginAsync(
            http,
            caller,
            request.CurrentPassword,
            cancellationToken
        );
        if (secret is null)
            return refusal!;
        http.Response.Headers.CacheControl = "no-store";
        var uri = Totp.UriOf(secret, Issuer, account!.Email);
        return TypedResults.Ok(new BegunSecondFactorResponse(Totp.ToBase32(secret), uri, QrImage.Of(uri)));
    }
}
