using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
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
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/password", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Authentication")
            .WithSummary("Change your password")
            .WithDescription("Replaces your own password; needed once after a login with a one-time password.")
            .WithRequestExample(new ChangePasswordRequest("mK7tRw3xZq9pYf2dHc8n", "correct horse battery staple"))
            .ProducesError(403, "identity.wrong-password", "The current password is wrong.")
            .ProducesError(404, "identity.user-not-found", "There is no such account.")
            .ProducesError(422, "identity.same-password", "The new password is the old one; choose another.")
            .ProducesError(
                422,
                PasswordRules.Code,
                "This password is among those that are tried first; choose one that nobody else would."
            );

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        ChangePasswordRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        PasswordStore passwords,
        PasswordHashing hashing,
        CancellationToken cancellationToken
    )
    {
        var account = await passwords.FindByIdAsync(caller.PrincipalId, cancellationToken);
        if (account is null)
            return Problems.NotFound("identity.user-not-found", "There is no such account.");
        if (
            await hashing.CheckAsync(account.PasswordHash, request.CurrentPassword, cancellationToken)
            == PasswordCheck.Wrong
        )
            return Problems.Create(new HttpError(403, "identity.wrong-password", "The current password is wrong."));
        if (request.NewPassword == request.CurrentPassword)
            return Problems.Create(
                new HttpError(422, "identity.same-password", "The new password is the old one; choose another.")
            );
        var home = await store.LoadAsync<Organization>(
            Access.ToAll(account.TenantId),
            account.TenantId,
            cancellationToken
        );
        if (PasswordRules.Check(request.NewPassword, account.Email, home?.Value.Name) is { } weakness)
            return Problems.From(weakness);

        var hash = await hashing.HashAsync(request.NewPassword, cancellationToken);
        var outcome = await store.DecideAsync<User>(
            caller.For(http) with
            {
                TenantId = account.TenantId,
            },
            account.UserId,
            user =>
                user is null
                    ? Decision.Refuse(RefusalKind.NotFound, "identity.user-not-found", "There is no such account.")
                    : Decision.Append(new PasswordChanged()).AlsoWriting(PasswordStore.Replace(account.UserId, hash)),
            cancellationToken
        );
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }
}
