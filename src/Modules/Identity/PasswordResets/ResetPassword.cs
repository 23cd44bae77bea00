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

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>The token of a link, and the password that is to be.</summary>
public sealed record ResetPasswordRequest(
    [property: Required, StringLength(200)] [property: Description("The 'token' in the link's query.")] string Token,
    [property: Required, StringLength(PasswordRules.MaxLength, MinimumLength = PasswordRules.MinLength)]
    [property: Description("At least 12 characters; no rules about their kinds.")]
        string NewPassword
);

internal sealed class ResetPassword : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/password-reset/confirmation", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Resets)
            .WithTags("Authentication")
            .WithSummary("Choose a new password")
            .WithDescription(
                "With the token of a link. All the person's logins end, and failed attempts are forgotten. A second factor is still asked for at the next login."
            )
            .WithRequestExample(
                new ResetPasswordRequest(
                    "vp_3kQmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE8Zt",
                    "correct horse battery staple"
                )
            )
            .ProducesError(
                PasswordResetter.InvalidToken.Status,
                PasswordResetter.InvalidToken.Code,
                PasswordResetter.InvalidToken.Message
            )
            .ProducesError(
                422,
                PasswordRules.Code,
                "This password is among those that are tried first; choose one that nobody else would."
            );

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        ResetPasswordRequest request,
        HttpContext http,
        PasswordResetter resetter,
        CancellationToken cancellationToken
    ) =>
        await resetter.ResetAsync(http, request.Token, request.NewPassword, cancellationToken) is { } error
            ? Problems.Create(error)
            : TypedResults.NoContent();
}
