using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>What is known of a token (RFC 7662 §2.2); of one that does not work nothing but that.</summary>
public sealed record IntrospectionResponse
{
    /// <summary>Whether the token works now.</summary>
    [JsonPropertyName("active")]
    public required bool Active { get; init; }

    /// <summary>What it may do, parted by spaces.</summary>
    [JsonPropertyName("scope")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Scope { get; init; }

    /// <summary>The client that it was issued to.</summary>
    [JsonPropertyName("client_id")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ClientId { get; init; }

    /// <summary><c>Bearer</c> for an access token; left out for a refresh token.</summary>
    [JsonPropertyName("token_type")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TokenType { get; init; }

    /// <summary>The person, or the client that acts for itself.</summary>
    [JsonPropertyName("sub")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Subject { get; init; }

    /// <summary>The organization.</summary>
    [JsonPropertyName("org_id")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OrganizationId { get; init; }

    /// <summary>Who issued it.</summary>
    [JsonPropertyName("iss")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Issuer { get; init; }

    /// <summary>The token's id.</summary>
    [JsonPropertyName("jti")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TokenId { get; init; }

    /// <summary>When it was issued, in seconds since 1970.</summary>
    [JsonPropertyName("iat")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? IssuedAt { get; init; }

    /// <summary>When it ends, in seconds since 1970.</summary>
    [JsonPropertyName("exp")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ExpiresAt { get; init; }

    internal static readonly IntrospectionResponse Inactive = new() { Active = false };

    internal static readonly IntrospectionResponse Example = new()
    {
        Active = true,
        Scope = "inferences:create openid",
        ClientId = "0198c8a4-2f6b-7d0e-9a51-c3e07b64d218",
        TokenType = "Bearer",
        Subject = "0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35",
        OrganizationId = "0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47",
        Issuer = "https://ai.example.com",
        TokenId = "0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77",
        IssuedAt = 1772443800,
        ExpiresAt = 1772444700,
    };
}

internal sealed class IntrospectToken(ClientAuthentication authentication, TokenLookup tokens, Issuer issuer)
    : IEndpoint
{
    private static readonly OAuthError PublicClient = OAuthError.Client(
        "A public client cannot prove itself, so it is told nothing of tokens."
    );

    public string Prefix => "/oauth";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/introspect", HandleAsync)
            .AllowAnyone()
            .LimitByAddress(AddressLimit.Tokens)
            .WithMetadata(OAuthDialect.Instance)
            .WithTags("OAuth")
            .WithSummary("Ask about a token")
            .WithDescription(
                """
                Tells a confidential client whether an access token of its organization works now (RFC 7662), and its own refresh tokens. A token of
                another organization is answered as one that does not work.
                """
            )
            .Accepts<ShownTokenRequest>("application/x-www-form-urlencoded")
            .WithRequestExample(new ShownTokenRequest(TokenResponse.Example.AccessToken))
            .Produces<IntrospectionResponse>()
            .WithResponseExample(StatusCodes.Status200OK, IntrospectionResponse.Example)
            .ProducesError(400, OAuthError.InvalidRequest, "token is needed.")
            .ProducesError(401, PublicClient.Code, PublicClient.Description);

    private async Task HandleAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (response, error) = await IntrospectAsync(http, cancellationToken);
        if (error is not null)
        {
            await error.WriteAsync(http);
            return;
        }
        OAuthError.NoStore(http);
        await TypedResults.Ok(response).ExecuteAsync(http);
    }

    private async Task<(IntrospectionResponse? Response, OAuthError? Error)> IntrospectAsync(
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var (form, error) = await OAuthParameters.ReadFormAsync(http, cancellationToken);
        if (form is null)
            return (null, error);
        (var client, error) = await authentication.AuthenticateAsync(http, form, cancellationToken);
        if (client is null)
            return (null, error);
        if (!client.Settings.IsConfidential)
            return (null, PublicClient);
        if (form["token"] is not { } text)
            return (null, OAuthError.Malformed("token is needed."));
        return (Describe(await tokens.FindAsync(text, cancellationToken), client), null);
    }

    private IntrospectionResponse Describe(ShownToken? shown, KnownClient client) =>
        shown switch
        {
            ShownToken.Access { IsActive: true, Token: var token } when token.OrganizationId == client.TenantId =>
                new IntrospectionResponse
                {
                    Active = true,
                    Scope = OAuthScopes.Write(token.Scopes),
                    ClientId = token.ClientId,
                    TokenType = "Bearer",
                    Subject = token.Subject.ToString(),
                    OrganizationId = token.OrganizationId.ToString(),
                    Issuer = issuer.Value,
                    TokenId = token.Id.ToString(),
                    IssuedAt = token.IssuedAt.ToUnixTimeSeconds(),
                    ExpiresAt = token.ExpiresAt.ToUnixTimeSeconds(),
                },
            ShownToken.Refresh { IsActive: true } refresh when refresh.Login.ClientId == client.Id.ToString() =>
                new IntrospectionResponse
                {
                    Active = true,
                    Scope = OAuthScopes.Write(refresh.Login.Scopes ?? []),
                    ClientId = refresh.Login.ClientId,
                    Subject = refresh.Login.UserId.ToString(),
                    OrganizationId = refresh.TenantId.ToString(),
                    Issuer = issuer.Value,
                    ExpiresAt = refresh.ExpiresAt.ToUnixTimeSeconds(),
                },
            _ => IntrospectionResponse.Inactive,
        };
}
