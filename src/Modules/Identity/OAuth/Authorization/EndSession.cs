using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.OAuth.Grants;
using Verbatim.Modules.Identity.Pages;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>Where a client sends a person's browser to log out (OpenID Connect RP-Initiated Logout 1.0).</summary>
internal sealed class EndSession(OAuthClients clients, IdTokens idTokens, LoginEnder ender) : IEndpoint
{
    public const string Path = "/oauth/logout";

    private const string ConfirmField = "confirm";
    private static readonly string[] ParameterNames =
    [
        "id_token_hint",
        "client_id",
        "post_logout_redirect_uri",
        "state",
    ];

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, HandleGetAsync).AllowAnyone().ExcludeFromDescription();
        routes.MapPost(Path, HandlePostAsync).AllowAnyone().ExcludeFromDescription();
    }

    private Task<IResult> HandleGetAsync(HttpContext http, CancellationToken cancellationToken) =>
        ContinueAsync(http, OAuthParameters.Of(http.Request.Query), isConfirmed: false, cancellationToken);

    private async Task<IResult> HandlePostAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (form, _) = await OAuthParameters.ReadFormAsync(http, cancellationToken);
        if (form is null)
            return AuthorizationPages.BadRequest();
        // Our own page's form comes with the cookie and its antiforgery token; a client's comes without either, and is asked for again as GET,
        // with which the browser brings the cookie.
        if (form[ConfirmField] is not null && FindCaller(http) is not null)
            return await ContinueAsync(http, form, isConfirmed: true, cancellationToken);
        return AuthorizationResponse.SeeOther(http, Path + QueryOf(form));
    }

    private async Task<IResult> ContinueAsync(
        HttpContext http,
        OAuthParameters parameters,
        bool isConfirmed,
        CancellationToken cancellationToken
    )
    {
        if (parameters.Repeated is not null)
            return AuthorizationPages.BadRequest();
        var hint = idTokens.ReadHint(parameters["id_token_hint"]);
        var clientId = Guid.TryParseExact(parameters["client_id"], "D", out var given) ? given : hint?.ClientId;
        // A hint that is none of ours, or another client's, is no request that can be trusted.
        if (
            (parameters["id_token_hint"] is not null && hint is null) || (hint is not null && hint.ClientId != clientId)
        )
            return AuthorizationPages.BadRequest();
        var back = await FindReturnAsync(parameters, clientId, cancellationToken);
        if (back is null && parameters["post_logout_redirect_uri"] is not null)
            return AuthorizationPages.BadRequest();

        var caller = FindCaller(http);
        if (caller is not null && !isConfirmed && hint?.UserId != caller.PrincipalId)
            return Ask(http, parameters);

        if (hint is not null)
            await EndAsync(http, hint.OrganizationId, hint.UserId, hint.LoginId, cancellationToken);
        if (caller is not null)
        {
            await EndAsync(http, caller.TenantId, caller.PrincipalId, caller.LoginId!.Value, cancellationToken);
            LoginCookies.Clear(http);
        }
        OAuthError.NoStore(http);
        return back is null ? LoggedOut() : AuthorizationResponse.SeeOther(http, back);
    }

    private async Task<string?> FindReturnAsync(
        OAuthParameters parameters,
        Guid? clientId,
        CancellationToken cancellationToken
    )
    {
        if (
            parameters["post_logout_redirect_uri"] is not { } uri
            || clientId is not { } id
            || await clients.FindAsync(id, cancellationToken) is not { IsActive: true } client
            || !RedirectUri.IsAmong(uri, client.Settings.PostLogoutRedirectUris)
        )
            return null;
        return parameters["state"] is { } state ? AuthorizationResponse.Append(uri, [("state", state)]) : uri;
    }

    private Task<Outcome<Login>> EndAsync(
        HttpContext http,
        Guid tenantId,
        Guid userId,
        Guid loginId,
        CancellationToken cancellationToken
    ) =>
        ender.EndAsync(
            new AppendContext(tenantId, $"user:{userId}", RequestId.Of(http))
            {
                Subject = userId,
                OnlyOwnedBy = userId,
            },
            loginId,
            LoginEndReason.LoggedOut,
            cancellationToken
        );

    private static Caller? FindCaller(HttpContext http) =>
        CredentialHandler.IsByCookie(http.Request)
        && http.User.Identity is CallerIdentity { Caller: { LoginId: not null } caller }
            ? caller
            : null;

    private static PageResult Ask(HttpContext http, OAuthParameters parameters)
    {
        var hidden = Html.Join(
            ParameterNames
                .Where(n => parameters[n] is not null)
                .Select(n => Html.Of($"<input type=\"hidden\" name=\"{n}\" value=\"{parameters[n]}\">\n"))
        );
        return new PageResult(
            "Log out?",
            Html.Of(
                $"""
                <p>An application asks to log you out of Verbatim.</p>
                <form method="post" action="{Path}">
                <input type="hidden" name="{LoginCookies.AntiforgeryField}" value="{LoginCookies.AntiforgeryTokenOf(
                    LoginCookies.Of(http.Request)!
                )}">
                {hidden}
                <button type="submit" name="{ConfirmField}" value="yes">Log out</button>
                </form>
                """
            )
        )
        {
            FormOrigins = parameters["post_logout_redirect_uri"] is { } uri ? [uri] : [],
        };
    }

    private static PageResult LoggedOut() =>
        new(
            "You are logged out",
            Html.Of($"<p>You can close this page, or <a href=\"{LoginPage.Path}\">log in again</a>.</p>")
        );

    private static QueryString QueryOf(OAuthParameters parameters)
    {
        var query = new QueryBuilder();
        foreach (var name in ParameterNames)
        {
            if (parameters[name] is { } value)
                query.Add(name, value);
        }
        return query.ToQueryString();
    }
}
