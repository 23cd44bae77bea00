using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>A link with which a person chooses a new password; shown in this answer only.</summary>
/// <param name="Link">To be given to the person.</param>
/// <param name="ExpiresAt">When it is worth nothing any more.</param>
public sealed record OfferedPasswordResetResponse(string Link, DateTimeOffset ExpiresAt);

internal sealed class OfferPasswordReset : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/users/{id:guid}/password-reset", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Make a link for a new password")
            .WithDescription(
                "For a person who has forgotten theirs. It works once, within thirty minutes. Only for people who belong to your organization and to no other: what they log in with opens all of theirs."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new OfferedPasswordResetResponse(
                    "https://ai.example.com/password-reset/choose?token=vp_3kQmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE8Zt",
                    new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero)
                )
            )
            .ProducesError(Custody.NotFound.Status, Custody.NotFound.Code, Custody.NotFound.Message)
            .ProducesError(Custody.Elsewhere.Status, Custody.Elsewhere.Code, Custody.Elsewhere.Message);

    private static async Task<Results<Ok<OfferedPasswordResetResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        Caller caller,
        HttpContext http,
        Custody custody,
        PasswordStore passwords,
        ResetTokens tokens,
        CancellationToken cancellationToken
    )
    {
        if (await custody.CheckAsync(caller, id, cancellationToken) is { } error)
            return Problems.Create(error);
        if (await passwords.FindByIdAsync(id, cancellationToken) is not { } account)
            return Problems.Create(Custody.NotFound);
        var (link, expiresAt) = await tokens.OfferAsync(caller.For(http), account, byMail: false, cancellationToken);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new OfferedPasswordResetResponse(link.AbsoluteUri, expiresAt));
    }
}
