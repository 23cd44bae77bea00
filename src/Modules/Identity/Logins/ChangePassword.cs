using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>The old password and the new one.</summary>
public sealed record ChangePasswordRequest(
    [property: Required, StringLength(1000)]
    [property: Description("The password as it is now, or the one-time password.")]
        string CurrentPassword,
    [property: Required, StringLength(1000, MinimumLength = 12)]
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
            .ProducesError(422, "identity.same-password", "The new password is the old one; choose another.");

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        ChangePasswordRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Passwords passwords,
        CancellationToken cancellationToken
    )
    {
        var account = await passwords.FindByIdAsync(caller.PrincipalId, cancellationToken);
        await Task.Yield();
        if (!passwords.Verify(account, request.CurrentPassword))
            return Problems.Create(new HttpError(403, "identity.wrong-password", "The current password is wrong."));
        if (request.NewPassword == request.CurrentPassword)
            return Problems.Create(
                new HttpError(422, "identity.same-password", "The new password is the old one; choose another.")
            );

        var hash = passwords.Hash(request.NewPassword);
        var outcome = await store.DecideAsync<User>(
            caller.For(http),
            caller.PrincipalId,
            user =>
                user is null
                    ? Decision.Refuse(RefusalKind.NotFound, "identity.user-not-found", "There is no such account.")
                    : Decision
                        .Append(new PasswordChanged())
                        .AlsoWriting(Passwords.Replace(caller.TenantId, caller.PrincipalId, hash)),
            cancellationToken
        );
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }
}
