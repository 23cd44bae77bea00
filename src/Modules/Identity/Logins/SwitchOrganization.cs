using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>The organization to go on in.</summary>
public sealed record SwitchOrganizationRequest(
    [property: Required]
    [property: Description("One that you belong to; GET /api/me/organizations lists them.")]
        Guid? OrganizationId
);

internal sealed class SwitchOrganization : IEndpoint
{
    private static readonly HttpError NotYourOwnLogin = new(
        403,
        "identity.not-your-own-login",
        "Only a login of your own can go on in another organization, not an application's, an identity provider's or an API key."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/organization", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Authentication")
            .WithSummary("Go on in another organization")
            .WithDescription(
                "Starts a login in another organization of yours, without the password being asked for again. A login by cookie is replaced; one by token goes on beside it."
            )
            .WithRequestExample(new SwitchOrganizationRequest(SignInResponse.Example.OrganizationId))
            .WithResponseExample(StatusCodes.Status200OK, SignInResponse.Example)
            .ProducesError(NotYourOwnLogin.Status, NotYourOwnLogin.Code, NotYourOwnLogin.Message)
            .ProducesError(SignIn.NoMembership.Status, SignIn.NoMembership.Code, SignIn.NoMembership.Message);

    private static async Task<Results<Ok<SignInResponse>, ProblemHttpResult>> HandleAsync(
        SwitchOrganizationRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Memberships memberships,
        LoginStarter logins,
        LoginEnder ender,
        CancellationToken cancellationToken
    )
    {
        if (
            caller.LoginId is not { } loginId
            || await store.LoadAsync<Login>(caller.Access, loginId, cancellationToken)
                is not { Value: { ClientId: null } current }
            // Its provider speaks for the people of its own organization alone.
            || current.Method == LoginMethod.ExternalProvider
        )
            return Problems.Create(NotYourOwnLogin);
        var mine = await memberships.ListAsync(caller.PrincipalId, cancellationToken);
        if (mine.FirstOrDefault(m => m.IsActive && m.TenantId == request.OrganizationId) is not { } membership)
            return Problems.Create(SignIn.NoMembership);

        var isByCookie = CredentialHandler.IsByCookie(http.Request);
        var login = await logins.StartAsync(
            http,
            new NewLogin
            {
                TenantId = membership.TenantId,
                UserId = caller.PrincipalId,
                Role = membership.Role,
                Method = current.Method,
                Factors = current.Factors,
                Credential = isByCookie ? LoginCredential.Cookie : LoginCredential.RefreshToken,
            },
            [],
            cancellationToken
        );
        if (isByCookie)
            await ender.EndAsync(caller.For(http), loginId, LoginEndReason.SwitchedOrganization, cancellationToken);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(SignInResponse.From(login, membership.TenantId, mustChangePassword: false));
    }
}
