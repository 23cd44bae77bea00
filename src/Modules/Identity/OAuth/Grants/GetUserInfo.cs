using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>Claims about a person (OpenID Connect Core 1.0 §5.3.2); each as far as its scope was granted.</summary>
public sealed record UserInfoResponse
{
    /// <summary>The person.</summary>
    [JsonPropertyName("sub")]
    public required string Subject { get; init; }

    /// <summary>The organization that the token speaks for.</summary>
    [JsonPropertyName("org_id")]
    public required string OrganizationId { get; init; }

    /// <summary>The address, with the scope <c>email</c>.</summary>
    [JsonPropertyName("email")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Email { get; init; }

    /// <summary>Whether the person has proved that the address is theirs; with the scope <c>email</c>.</summary>
    [JsonPropertyName("email_verified")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? EmailVerified { get; init; }

    /// <summary>The role in the organization, with the scope <c>profile</c>.</summary>
    [JsonPropertyName("roles")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Roles { get; init; }

    internal static readonly UserInfoResponse Example = new()
    {
        Subject = "0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35",
        OrganizationId = "0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47",
        Email = "ada@example.org",
        EmailVerified = false,
        Roles = ["user"],
    };
}

internal sealed class GetUserInfo : IEndpoint
{
    private const string Bearer = "Bearer ";

    public string Prefix => "/oauth";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/userinfo", HandleAsync)
            .AllowAnyone()
            .WithMetadata(OAuthDialect.Instance)
            .WithTags("OAuth")
            .WithSummary("Ask who a person is")
            .WithDescription(
                "Claims about the person whose access token is sent as `Authorization: Bearer` (OpenID Connect Core 1.0). The token needs the scope openid; email and profile tell more."
            )
            .Produces<UserInfoResponse>()
            .WithResponseExample(StatusCodes.Status200OK, UserInfoResponse.Example)
            .ProducesError(401, "invalid_token", "The access token is not valid.")
            .ProducesError(403, "insufficient_scope", "The access token does not carry the scope openid.");
        // OpenID Connect Core 1.0 §5.3.1: both verbs, with the same answer.
        routes
            .MapPost("/userinfo", HandleAsync)
            .AllowAnyone()
            .WithMetadata(OAuthDialect.Instance)
            .ExcludeFromDescription();
    }

    private static async Task HandleAsync(
        HttpContext http,
        AccessTokens tokens,
        DocumentStore documents,
        CancellationToken cancellationToken
    )
    {
        OAuthError.NoStore(http);
        var authorization = http.Request.Headers.Authorization;
        if (authorization.Count != 1 || !authorization[0]!.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            // RFC 6750 §3.1: who sent no token is told of no error.
            http.Response.Headers.WWWAuthenticate = "Bearer";
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            await http.Response.WriteAsJsonAsync(
                new OAuthErrorResponse("invalid_token", "An access token is needed."),
                cancellationToken
            );
            return;
        }
        var text = authorization[0]![Bearer.Length..].Trim();
        if (
            tokens.Read(text) is not { LoginId: not null } token
            || await tokens.AuthenticateAsync(text, cancellationToken) is not { Succeeded: true }
        )
        {
            await RefuseAsync(http, 401, "invalid_token", "The access token is not valid.");
            return;
        }
        if (!token.HasScope(OAuthWords.OpenId))
        {
            await RefuseAsync(
                http,
                403,
                "insufficient_scope",
                "The access token does not carry the scope openid.",
                ", scope=\"openid\""
            );
            return;
        }
        var user = await documents.LoadAsync<User>(
            Access.ToOwn(token.OrganizationId, token.Subject),
            token.Subject,
            cancellationToken
        );
        var isEmail = token.HasScope(OAuthWords.Email);
        await TypedResults
            .Ok(
                new UserInfoResponse
                {
                    Subject = token.Subject.ToString(),
                    OrganizationId = token.OrganizationId.ToString(),
                    Email = isEmail ? user?.Value.Email : null,
                    // Addresses are given by administrators; that a person reads the mail there was not proved.
                    EmailVerified = isEmail ? false : null,
                    Roles =
                        user is not null && token.HasScope(OAuthWords.Profile)
                            ? [RoleScopes.NameOf(user.Value.Role)]
                            : null,
                }
            )
            .ExecuteAsync(http);
    }

    // RFC 6750 §3: the error stands in the header.
    private static Task RefuseAsync(HttpContext http, int status, string code, string description, string more = "")
    {
        http.Response.Headers.WWWAuthenticate = $"Bearer error=\"{code}\", error_description=\"{description}\"{more}";
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(new OAuthErrorResponse(code, description), http.RequestAborted);
    }
}
