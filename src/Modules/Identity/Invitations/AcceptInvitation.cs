using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>An invitation to accept.</summary>
public sealed record AcceptInvitationRequest(
    [property: Required, StringLength(OpaqueSecret.MaxLength)]
    [property: Description("The token: the last part of the invitation's link.")]
        string Token,
    [property: StringLength(PasswordRules.MaxLength)]
    [property: Description(
        "The password of the account that is made, at least 12 characters; left out by whoever has an account and is logged in."
    )]
        string? Password = null,
    [property: StringLength(100, MinimumLength = 1)]
    [property: Description("What you are called, if the account is made by this.")]
        string? Name = null
);

/// <summary>The membership that an invitation led to.</summary>
/// <param name="OrganizationId">The organization.</param>
/// <param name="UserId">The person.</param>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do there.</param>
/// <param name="IsNewAccount">True when the account was made by this.</param>
public sealed record AcceptedInvitationResponse(
    Guid OrganizationId,
    Guid UserId,
    string Email,
    Role Role,
    bool IsNewAccount
);

internal sealed class AcceptInvitation : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/invitations/accept", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Logins)
            .WithTags("Invitations")
            .WithSummary("Accept an invitation")
            .WithDescription(
                "Makes you a member. Without an account with the invitation's address one is made, with the password that you give. Whoever has one must be logged in as it: the link alone never opens an account. Then log in, or go on with `POST /api/auth/organization`."
            )
            .WithRequestExample(
                new AcceptInvitationRequest(
                    "vi_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqEa",
                    "correct horse battery staple",
                    "Grace"
                )
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new AcceptedInvitationResponse(
                    MeResponse.Example.OrganizationId,
                    Guid.Parse("0198ca51-0b3e-7d92-a6c7-4f1e8b2d5a90"),
                    InvitationResponse.Example.Email,
                    InvitationResponse.Example.Role,
                    IsNewAccount: true
                )
            )
            .ProducesError(403, InvitationAcceptance.LogInFirst.Code, InvitationAcceptance.LogInFirst.Message)
            .ProducesError(403, OneTimePasswords.ChangeFirst.Code, OneTimePasswords.ChangeFirst.Message)
            .ProducesError(404, InvitationAcceptance.NotFound.Code, InvitationAcceptance.NotFound.Message)
            .ProducesError(422, InvitationAcceptance.PasswordNeeded.Code, InvitationAcceptance.PasswordNeeded.Message)
            .ProducesError(
                422,
                PasswordRules.Code,
                "This password is among those that are tried first; choose one that nobody else would."
            );

    private static async Task<Results<Ok<AcceptedInvitationResponse>, ProblemHttpResult>> HandleAsync(
        AcceptInvitationRequest request,
        HttpContext http,
        InvitationAcceptance acceptance,
        CancellationToken cancellationToken
    )
    {
        if (await acceptance.FindAsync(request.Token, cancellationToken) is not { } open)
            return Problems.From(InvitationAcceptance.NotFound);
        var (accepted, refusal) = await acceptance.AcceptAsync(
            http,
            open,
            (http.User.Identity as CallerIdentity)?.Caller,
            request.Password,
            request.Name,
            cancellationToken
        );
        return accepted is null
            ? Problems.From(refusal!)
            : TypedResults.Ok(
                new AcceptedInvitationResponse(
                    accepted.TenantId,
                    accepted.UserId,
                    accepted.Email,
                    accepted.Role,
                    accepted.IsNew
                )
            );
    }
}
