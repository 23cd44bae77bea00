using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>The old password and the new one.</summary>
public sealed record ChangePasswordRequest(
    [property: Required, StringLength(PasswordRules.MaxLength)]
    [property: Description("The password as it is now, or the one-time password.")]
        string CurrentPassword,
    [property: Required, StringLength(PasswordRules.MaxLength, MinimumLength = PasswordRules.MinLength)]
    [property: Description("At least 12 characters; no rules about their kinds.")]
        string NewPassword
);

internal sealed class ChangePassword : IEndpoint
{
    internal static readonly HttpError SamePassword = new(
        422,
        "identity.same-password",
        "The new password is the old one; choose another."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/password", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .OpenWhilePending()
            .WithTags("Authentication")
            .WithSummary("Change your password")
            .WithDescription(
                "Replaces your own password, and ends all your other logins; needed once after a login with a one-time password."
            )
            .WithRequestExample(new ChangePasswordRequest("mK7tRw3xZq9pYf2dHc8n", "correct horse battery staple"))
            .ProducesError(OwnPassword.Wrong.Status, OwnPassword.Wrong.Code, OwnPassword.Wrong.Message)
            .ProducesError(OwnPassword.NoAccount.Status, OwnPassword.NoAccount.Code, OwnPassword.NoAccount.Message)
            .ProducesError(LoginGuard.TooMany.Status, LoginGuard.TooMany.Code, LoginGuard.TooMany.Message)
            .ProducesError(SamePassword.Status, SamePassword.Code, SamePassword.Message)
            .ProducesError(
                422,
                PasswordRules.Code,
                "This password is among those that are tried first; choose one that nobody else would."
            );

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        ChangePasswordRequest request,
        Caller caller,
        HttpContext http,
        OwnPassword own,
        PasswordChanger changer,
        CancellationToken cancellationToken
    )
    {
        var (account, refusal) = await own.ProveAsync(http, caller, request.CurrentPassword, cancellationToken);
        if (refusal is not null)
            return refusal;
        if (request.NewPassword == request.CurrentPassword)
            return Problems.Create(SamePassword);
        var weakness = await changer.ChangeAsync(
            caller.For(http),
            account!,
            request.NewPassword,
            caller.LoginId,
            [],
            cancellationToken
        );
        return weakness is null ? TypedResults.NoContent() : Problems.From(weakness);
    }
}
