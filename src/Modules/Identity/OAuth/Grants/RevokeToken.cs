using System.ComponentModel;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>A token, as a form.</summary>
public sealed record ShownTokenRequest(
    [property: JsonPropertyName("token")] [property: Description("An access token or a refresh token.")] string Token,
    [property: JsonPropertyName("token_type_hint")]
    [property: Description("Not needed: tokens tell what they are.")]
        string? TokenTypeHint = null,
    [property: JsonPropertyName("client_id")]
    [property: Description("The client, unless it proves itself with HTTP Basic.")]
        string? ClientId = null,
    [property: JsonPropertyName("client_secret")]
    [property: Description("Its secret, with client_secret_post.")]
        string? ClientSecret = null
);

internal sealed class RevokeToken(
    ClientAuthentication authentication,
    TokenLookup tokens,
    LoginEnder ender,
    Standings standings,
    DocumentStore documents,
    TimeProvider time
) : IEndpoint
{
    private static readonly OAuthError NotYours = OAuthError.Grant("The token was issued to another client.");

    public string Prefix => "/oauth";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/revoke", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Tokens)
            .WithMetadata(OAuthDialect.Instance)
            .WithTags("OAuth")
            .WithSummary("Revoke a token")
            .WithDescription(
                """
                Ends a token before its time (RFC 7009), and with it the whole login that it belongs to: within a second no token of it works on
                any instance. A token that is unknown, has ended, or is another organization's, is answered the same way.
                """
            )
            .Accepts<ShownTokenRequest>("application/x-www-form-urlencoded")
            .WithRequestExample(new ShownTokenRequest("vr_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE"))
            .Produces(StatusCodes.Status200OK)
            .ProducesError(400, OAuthError.InvalidRequest, "token is needed.")
            .ProducesError(400, NotYours.Code, NotYours.Description)
            .ProducesError(401, OAuthError.InvalidClient, "The client is unknown or did not prove itself.");

    private async Task HandleAsync(HttpContext http, CancellationToken cancellationToken)
    {
        if (await RevokeAsync(http, cancellationToken) is { } error)
            await error.WriteAsync(http);
        else
            OAuthError.NoStore(http);
    }

    private async Task<OAuthError?> RevokeAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (form, error) = await OAuthParameters.ReadFormAsync(http, cancellationToken);
        if (form is null)
            return error;
        (var client, error) = await authentication.AuthenticateAsync(http, form, cancellationToken);
        if (client is null)
            return error;
        if (form["token"] is not { } text)
            return OAuthError.Malformed("token is needed.");

        var id = client.Id.ToString();
        switch (await tokens.FindAsync(text, cancellationToken))
        {
            // Of another organization it is not even told that there is such a token.
            case ShownToken.Refresh refresh when refresh.TenantId != client.TenantId:
            case ShownToken.Access { Token: var foreign } when foreign.OrganizationId != client.TenantId:
                return null;
            case ShownToken.Refresh { Login: var login } refresh:
                if (login.ClientId != id)
                    return NotYours;
                await EndAsync(http, client, refresh.TenantId, refresh.LoginId, login.UserId, cancellationToken);
                return null;
            case ShownToken.Access { Token: var token }:
                if (token.ClientId != id)
                    return NotYours;
                if (token.LoginId is { } loginId)
                    await EndAsync(http, client, token.OrganizationId, loginId, token.Subject, cancellationToken);
                else
                    await RevokeAsync(http, client, token, cancellationToken);
                return null;
            default:
                return null;
        }
    }

    private Task<Outcome<Login>> EndAsync(
        HttpContext http,
        KnownClient client,
        Guid tenantId,
        Guid loginId,
        Guid userId,
        CancellationToken cancellationToken
    ) =>
        ender.EndAsync(
            new AppendContext(tenantId, $"client:{client.Id}", RequestId.Of(http)) { Subject = userId },
            loginId,
            LoginEndReason.Revoked,
            cancellationToken
        );

    private async Task RevokeAsync(
        HttpContext http,
        KnownClient client,
        AccessToken token,
        CancellationToken cancellationToken
    )
    {
        await documents.DecideAsync<ClientToken>(
            new AppendContext(client.TenantId, $"client:{client.Id}", RequestId.Of(http)),
            token.Id,
            issued =>
                issued switch
                {
                    null => Decision.Refuse(
                        RefusalKind.NotFound,
                        "identity.token-not-found",
                        "There is no such token."
                    ),
                    { RevokedAt: not null } => Decision.Nothing,
                    _ => Decision
                        .Append(new ClientTokenRevoked(time.GetUtcNow()))
                        .AlsoWriting(RevokedTokens.Add(token.Id, token.ExpiresAt)),
                },
            cancellationToken
        );
        // This instance need not wait to hear it from the log.
        standings.Forget(token.Id);
    }
}
