using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>
/// Finds out who calls: an API key or an access token in <c>Authorization: Bearer</c>, or an API key in <c>x-api-key</c>, where
/// Anthropic's SDKs put it.
/// </summary>
internal sealed class CredentialHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    ApiKeyCallers apiKeys,
    AccessTokens tokens
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Verbatim";

    private const string Bearer = "Bearer ";
    private static readonly AuthenticateResult Unknown = AuthenticateResult.Fail("The credential is not valid.");

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (FindCredential() is not { } credential)
            return AuthenticateResult.NoResult();
        if (ApiKeySecret.LooksLikeOne(credential))
            return await apiKeys.FindAsync(credential, Context.RequestAborted) ?? Unknown;
        return tokens.Authenticate(credential) ?? Unknown;
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // RFC 6750 §3: a credential that was sent and is not valid is named as the error.
        Response.Headers.WWWAuthenticate = FindCredential() is null ? "Bearer" : "Bearer error=\"invalid_token\"";
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }

    private string? FindCredential()
    {
        var authorization = Request.Headers.Authorization;
        if (authorization.Count == 1 && authorization[0]!.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return authorization[0]![Bearer.Length..].Trim();
        var apiKey = Request.Headers["x-api-key"];
        return authorization.Count == 0 && apiKey is [{ Length: > 0 } key] ? key : null;
    }
}
