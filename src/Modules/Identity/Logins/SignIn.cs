using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Tokens;
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
        string Password
);

/// <summary>An access token, to be sent as <c>Authorization: Bearer</c>.</summary>
/// <param name="AccessToken">A JWT (RFC 9068), signed with ES256.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
/// <param name="ExpiresIn">Seconds until it ends.</param>
/// <param name="MustChangePassword">True while the password is the one-time one: change it with <c>POST /api/auth/password</c>.</param>
public sealed record SignInResponse(string AccessToken, string TokenType, int ExpiresIn, bool MustChangePassword);

internal sealed class SignIn : IEndpoint
{
    internal static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);
    private const int MaxUserAgent = 300;

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/login", HandleAsync)
            .AllowAnyone()
            .WithTags("Authentication")
            .WithSummary("Log in")
            .WithDescription(
                "Exchanges an address and a password for an access token of 15 minutes. Every attempt is recorded."
            )
            .WithRequestExample(new SignInRequest("ada@example.org", "correct horse battery staple"))
            .WithResponseExample(
                StatusCodes.Status200OK,
                new SignInResponse(
                    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4YzdmMCJ9.c2lnbmF0dXJl",
                    "Bearer",
                    (int)Lifetime.TotalSeconds,
                    MustChangePassword: false
                )
            )
            .ProducesError(401, "identity.wrong-credentials", "The address or the password is wrong.");

    private static async Task<Results<Ok<SignInResponse>, ProblemHttpResult>> HandleAsync(
        SignInRequest request,
        HttpContext http,
        PasswordStore passwords,
        PasswordHashing hashing,
        FirstOrganization firstOrganization,
        EventStore events,
        AccessTokens tokens,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var account = await passwords.FindByEmailAsync(request.Email, cancellationToken);
        var check = await hashing.CheckAsync(account?.PasswordHash, request.Password, cancellationToken);
        var isRight = check != PasswordCheck.Wrong;
        if (check == PasswordCheck.RightAndOutdated)
            await passwords.ImproveAsync(
                account!,
                await hashing.HashAsync(request.Password, cancellationToken),
                cancellationToken
            );

        var address = http.Connection.RemoteIpAddress?.ToString() ?? "";
        var userAgent = http.Request.Headers.UserAgent.ToString();
        userAgent = userAgent.Length > MaxUserAgent ? userAgent[..MaxUserAgent] : userAgent;
        var tenant = account?.TenantId ?? await firstOrganization.GetIdAsync(cancellationToken);
        var actor = account is null ? "system:login" : $"user:{account.UserId}";
        var tokenId = ids.New();
        IEvent attempt = isRight
            ? new LoginSucceeded(account!.UserId, tokenId, address, userAgent)
            : new LoginFailed(account?.UserId, address, userAgent);
        await events.AppendAsync(
            new AppendContext(tenant, actor, RequestId.Of(http)) { Subject = account?.UserId },
            new StreamEvents("login", ids.New(), 0, [attempt]),
            cancellationToken
        );

        if (!isRight)
            return Problems.Create(
                new HttpError(401, "identity.wrong-credentials", "The address or the password is wrong.")
            );

        var now = time.GetUtcNow();
        var token = tokens.Issue(
            new AccessToken
            {
                Id = tokenId,
                Subject = account!.UserId,
                OrganizationId = account.TenantId,
                ClientId = "verbatim",
                Roles = [RoleScopes.NameOf(account.Role)],
                Scopes = [.. RoleScopes.Of(account.Role).Order(StringComparer.Ordinal)],
                IssuedAt = now,
                NotBefore = now,
                ExpiresAt = now + Lifetime,
            }
        );
        return TypedResults.Ok(
            new SignInResponse(token, "Bearer", (int)Lifetime.TotalSeconds, account.MustChangePassword)
        );
    }
}
