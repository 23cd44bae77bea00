using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>How the caller's second factor stands.</summary>
/// <param name="Enabled">Logins ask for it.</param>
/// <param name="EnabledAt">Since when.</param>
/// <param name="RecoveryCodesLeft">How many recovery codes are unused.</param>
public sealed record SecondFactorResponse(bool Enabled, DateTimeOffset? EnabledAt, int RecoveryCodesLeft);

internal sealed class GetSecondFactor : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/auth/second-factor", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Second factor")
            .WithSummary("See your second factor")
            .WithDescription(
                "Whether your logins ask for a code of an authenticator, and how many recovery codes are left."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new SecondFactorResponse(
                    Enabled: true,
                    new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero),
                    RecoveryCodesLeft: 10
                )
            );

    private static async Task<Ok<SecondFactorResponse>> HandleAsync(
        Caller caller,
        HttpContext http,
        SecondFactors factors,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        if (
            await factors.FindEnabledAsync(caller.PrincipalId, cancellationToken) is not { } factor
            || await store.LoadAsync<SecondFactor>(
                Access.ToOwn(factor.TenantId, caller.PrincipalId),
                factor.StreamId,
                cancellationToken
            )
                is not { } document
        )
            return TypedResults.Ok(new SecondFactorResponse(Enabled: false, EnabledAt: null, RecoveryCodesLeft: 0));
        EntityTags.Set(http, document.Version);
        return TypedResults.Ok(
            new SecondFactorResponse(Enabled: true, document.Value.EnabledAt, document.Value.RecoveryCodesLeft)
        );
    }
}
