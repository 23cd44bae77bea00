using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.ExternalIdentity.Logins;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>
/// Finds out who calls: an API key or an access token in <c>Authorization: Bearer</c>, an API key in <c>x-api-key</c>, where Anthropic's SDKs
/// put it, or else the cookie of a login.
/// </summary>
internal sealed class CredentialHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    ApiKeyCallers apiKeys,
    AccessTokens tokens,
    ExternalTokens externalTokens,
    LoginCookies cookies
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Verbatim";

    internal static readonly HttpError Forgery = new(
        403,
        "identity.antiforgery",
        $"A request with a login's cookie that changes something needs the token of GET /api/auth/antiforgery in '{LoginCookies.AntiforgeryHeader}'."
    );

    private const string Bearer = "Bearer ";
    private static readonly AuthenticateResult Unknown = AuthenticateResult.Fail("The credential is not valid.");

    private bool _isForgery;

    /// <summary>Whether a request speaks by its cookie, and not by a credential that its client has put into a header.</summary>
    public static bool IsByCookie(HttpRequest request) =>
        request.Headers.Authorization.Count == 0
        && request.Headers["x-api-key"].Count == 0
        && LoginCookies.Of(request) is not null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (FindCredential() is { } credential)
            return ApiKeySecret.LooksLikeOne(credential.Span)
                ? await apiKeys.FindAsync(credential.Span, Context) ?? Unknown
                : await tokens.AuthenticateAsync(credential.Span, Context.RequestAborted)
                    ?? await externalTokens.AuthenticateAsync(credential.ToString(), Context.RequestAborted)
                    ?? Unknown;
        if (!IsByCookie(Request))
            return AuthenticateResult.NoResult();

        var cookie = LoginCookies.Of(Request)!;
        if (await cookies.FindAsync(cookie, Context.RequestAborted) is not { } result)
            return Unknown;
        _isForgery = !await LoginCookies.IsOurPagesAsync(Request, cookie, Context.RequestAborted);
        return _isForgery ? Unknown : result;
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_isForgery)
            return Errors.WriteAsync(Context, Forgery);
        // RFC 6750 §3: a credential that was sent and is not valid is named as the error.
        Response.Headers.WWWAuthenticate = FindCredential() is null ? "Bearer" : "Bearer error=\"invalid_token\"";
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Context.Features.Get<AddressDenied>() is not null ? Errors.WriteAsync(Context, AddressDenied.Error)
        : Context.User.Identity is CallerIdentity { Caller.Pending: { } pending }
        && Context.GetEndpoint()?.Metadata.GetMetadata<OpenWhilePending>() is null
            ? Errors.WriteAsync(Context, pending)
        : base.HandleForbiddenAsync(properties);

    // Not a string of its own: a token has some 700 characters, and every request has one.
    private ReadOnlyMemory<char>? FindCredential()
    {
        var authorization = Request.Headers.Authorization;
        if (authorization.Count == 1 && authorization[0]!.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return authorization[0].AsMemory(Bearer.Length).Trim();
        var apiKey = Request.Headers["x-api-key"];
        // Not one conditional expression: a null in it would become an empty text.
        if (authorization.Count == 0 && apiKey is [{ Length: > 0 } key])
            return key.AsMemory();
        return null;
    }
}
