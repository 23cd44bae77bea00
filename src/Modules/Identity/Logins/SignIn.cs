using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Who logs in.</summary>
public sealed record SignInRequest(
    [property: Required, StringLength(254)] [property: Description("The address of the account.")] string Email,
    [property: Required, StringLength(1000)]
    [property: Description("The password, or the one-time password.")]
        string Password,
    [property: Description("The organization to act in; if left out, the first of the person's that is active.")]
        Guid? OrganizationId = null,
    [property: Description(
        "True for a browser: the login is kept in a cookie that scripts cannot read, instead of tokens in the answer."
    )]
        bool Cookie = false
);

internal sealed class SignIn : IEndpoint
{
    internal static readonly HttpError WrongCredentials = new(
        401,
        "identity.wrong-credentials",
        "The address or the password is wrong."
    );

    internal static readonly HttpError NoMembership = new(
        403,
        "identity.no-membership",
        "You are no active member of this organization."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/login", HandleAsync)
            .AllowAnyone()
            .RecordsDenialsItself()
            .WithTags("Authentication")
            .WithSummary("Log in")
            .WithDescription(
                "Exchanges an address and a password for an access token of 15 minutes and a refresh token, or for a cookie. Every attempt is recorded."
            )
            .WithRequestExample(new SignInRequest("ada@example.org", "correct horse battery staple"))
            .WithResponseExample(StatusCodes.Status200OK, SignInResponse.Example)
            .ProducesError(WrongCredentials.Status, WrongCredentials.Code, WrongCredentials.Message)
            .ProducesError(NoMembership.Status, NoMembership.Code, NoMembership.Message);

    private static async Task<Results<Ok<SignInResponse>, ProblemHttpResult>> HandleAsync(
        SignInRequest request,
        HttpContext http,
        PasswordStore passwords,
        PasswordHashing hashing,
        Memberships memberships,
        FirstOrganization firstOrganization,
        LoginStarter logins,
        EventStore events,
        IdSource ids,
        CancellationToken cancellationToken
    )
    {
        var account = await passwords.FindByEmailAsync(request.Email, cancellationToken);
        var check = await hashing.CheckAsync(account?.PasswordHash, request.Password, cancellationToken);
        if (check == PasswordCheck.Wrong)
        {
            var origin = RequestOrigin.Of(http);
            var tenant = account?.TenantId ?? await firstOrganization.GetIdAsync(cancellationToken);
            var actor = account is null ? "system:login" : $"user:{account.UserId}";
            await events.AppendAsync(
                new AppendContext(tenant, actor, RequestId.Of(http)) { Subject = account?.UserId },
                new StreamEvents(
                    "login-attempt",
                    ids.New(),
                    0,
                    [new LoginFailed(account?.UserId, origin.Address, origin.UserAgent)]
                ),
                cancellationToken
            );
            return Problems.Create(WrongCredentials);
        }
        if (check == PasswordCheck.RightAndOutdated)
            await passwords.ImproveAsync(
                account!,
                await hashing.HashAsync(request.Password, cancellationToken),
                cancellationToken
            );

        var mine = await memberships.ListAsync(account!.UserId, cancellationToken);
        if (
            mine.FirstOrDefault(m =>
                m.IsActive && (request.OrganizationId is null || m.TenantId == request.OrganizationId)
            )
            is not { } membership
        )
            return Problems.Create(NoMembership);
        var login = await logins.StartAsync(
            http,
            new NewLogin
            {
                TenantId = membership.TenantId,
                UserId = account.UserId,
                Role = membership.Role,
                Method = LoginMethod.Password,
                Factors = ["pwd"],
                Credential = request.Cookie ? LoginCredential.Cookie : LoginCredential.RefreshToken,
            },
            [],
            cancellationToken
        );
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(SignInResponse.From(login, membership.TenantId, account.MustChangePassword));
    }
}
