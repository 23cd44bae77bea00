using System.ComponentModel;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>What a client brings to the token endpoint, as a form.</summary>
public sealed record TokenRequest(
    [property: JsonPropertyName("grant_type")]
    [property: Description("authorization_code, refresh_token or client_credentials.")]
        string GrantType,
    [property: JsonPropertyName("code")] [property: Description("The authorization code.")] string? Code = null,
    [property: JsonPropertyName("redirect_uri")]
    [property: Description("With a code: the redirect URI that it was asked for with.")]
        string? RedirectUri = null,
    [property: JsonPropertyName("code_verifier")]
    [property: Description("With a code: what the code_challenge was made of (RFC 7636).")]
        string? CodeVerifier = null,
    [property: JsonPropertyName("refresh_token")]
    [property: Description("The refresh token.")]
        string? RefreshToken = null,
    [property: JsonPropertyName("scope")]
    [property: Description("Fewer scopes than were granted, or than the client is registered for.")]
        string? Scope = null,
    [property: JsonPropertyName("client_id")]
    [property: Description("The client, unless it proves itself with HTTP Basic.")]
        string? ClientId = null,
    [property: JsonPropertyName("client_secret")]
    [property: Description("Its secret, with client_secret_post.")]
        string? ClientSecret = null
);

internal sealed class IssueTokens : IEndpoint
{
    public string Prefix => "/oauth";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/token", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Tokens)
            .WithMetadata(OAuthDialect.Instance)
            .WithTags("OAuth")
            .WithSummary("Get tokens")
            .WithDescription(
                """
                Exchanges an authorization code, a refresh token or the client's own credentials for an access token (RFC 6749). A code or a
                refresh token that comes a second time ends all that came of it.
                """
            )
            .Accepts<TokenRequest>("application/x-www-form-urlencoded")
            .WithRequestExample(
                new TokenRequest(
                    OAuthWords.AuthorizationCode,
                    "vc_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE",
                    "https://intranet.example.com/callback",
                    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                    ClientId: "0198c8a4-2f6b-7d0e-9a51-c3e07b64d218"
                )
            )
            .Produces<TokenResponse>()
            .WithResponseExample(StatusCodes.Status200OK, TokenResponse.Example)
            .ProducesError(
                400,
                OAuthError.InvalidGrant,
                "The code is unknown, has ended, was used before, or is not this client's."
            )
            .ProducesError(401, OAuthError.InvalidClient, "The client is unknown or did not prove itself.");

    private static async Task HandleAsync(
        HttpContext http,
        ClientAuthentication authentication,
        TokenGrants grants,
        CancellationToken cancellationToken
    )
    {
        var (response, error) = await GrantAsync(http, authentication, grants, cancellationToken);
        if (error is not null)
        {
            await error.WriteAsync(http);
            return;
        }
        OAuthError.NoStore(http);
        await TypedResults.Ok(response).ExecuteAsync(http);
    }

    private static async Task<(TokenResponse? Response, OAuthError? Error)> GrantAsync(
        HttpContext http,
        ClientAuthentication authentication,
        TokenGrants grants,
        CancellationToken cancellationToken
    )
    {
        var (form, error) = await OAuthParameters.ReadFormAsync(http, cancellationToken);
        if (form is null)
            return (null, error);
        (var client, error) = await authentication.AuthenticateAsync(http, form, cancellationToken);
        if (client is null)
            return (null, error);
        if (form["grant_type"] is not { } grantType)
            return (null, OAuthError.Malformed("grant_type is needed."));
        if (!OAuthWords.GrantTypes.Contains(grantType, StringComparer.Ordinal))
            return (
                null,
                new OAuthError(
                    StatusCodes.Status400BadRequest,
                    OAuthError.UnsupportedGrantType,
                    "grant_type is authorization_code, refresh_token or client_credentials."
                )
            );
        if (!client.Settings.Takes(grantType))
            return (
                null,
                new OAuthError(
                    StatusCodes.Status400BadRequest,
                    OAuthError.UnauthorizedClient,
                    "The client is not registered for this grant_type."
                )
            );
        return grantType switch
        {
            OAuthWords.AuthorizationCode => await grants.ExchangeCodeAsync(http, client, form, cancellationToken),
            OAuthWords.RefreshToken => await grants.RefreshAsync(http, client, form, cancellationToken),
            _ => await grants.IssueToClientAsync(http, client, form, cancellationToken),
        };
    }
}
