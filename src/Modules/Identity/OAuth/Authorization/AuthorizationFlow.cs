using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.OAuth.Consents;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Pages;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>
/// Takes a person from a client's request to its answer: through the login form and the question for consent where they are needed. Every
/// step begins with the whole request again, so nothing is kept in between.
/// </summary>
[Singleton]
internal sealed class AuthorizationFlow(
    OAuthClients clients,
    Principals principals,
    DocumentStore documents,
    ConsentRecords consents,
    AuthorizationCodes codes,
    LoginFreshness freshness,
    Issuer issuer,
    TimeProvider time
)
{
    public const string AuthorizePath = "/oauth/authorize";

    /// <summary>What the person said on the consent page.</summary>
    internal enum Answer
    {
        NotAsked,
        Allowed,
        Denied,
    }

    /// <summary>The login that a person is here with, by cookie, in whichever of their organizations.</summary>
    private sealed record Visitor(Guid UserId, (Guid TenantId, Guid LoginId) At, Login Login, bool IsPending);

    /// <summary>Answers a request with the next step.</summary>
    public async Task<IResult> ContinueAsync(
        HttpContext http,
        OAuthParameters parameters,
        Answer answer,
        CancellationToken cancellationToken
    )
    {
        var client = Guid.TryParseExact(parameters["client_id"], "D", out var clientId)
            ? await clients.FindAsync(clientId, cancellationToken)
            : null;
        if (
            parameters.Repeated is "client_id" or "redirect_uri"
            || AuthorizationDemand.FindRedirectUri(parameters, client) is not { } redirectUri
        )
            return AuthorizationPages.BadRequest();

        var state = parameters.Repeated == "state" ? null : parameters["state"];
        var (request, error) = AuthorizationDemand.Read(parameters, client!, redirectUri);
        if (request is null)
            return AuthorizationResponse.Error(http, redirectUri, issuer.Value, state, error!);

        var visitor = await FindVisitorAsync(http, cancellationToken);
        if (visitor is null || !IsFresh(request, visitor.Login, parameters[LoginFreshness.Parameter]))
            return SendTo(LoginPage.Path, http, request, parameters, freshness.Write());
        // Of a one-time password; the person comes back from there.
        if (visitor.IsPending)
            return SendTo(PasswordPage.Path, http, request, parameters, parameters[LoginFreshness.Parameter]);

        // A client serves the members of its own organization, wherever their login is at home.
        var role = await principals.FindRoleAsync(
            request.Client.TenantId,
            visitor.UserId,
            loginId: null,
            clientId: null,
            time.GetUtcNow(),
            cancellationToken
        );
        // An organization's identity provider speaks for its own people alone.
        var isForeign =
            visitor.Login.Method == LoginMethod.ExternalProvider && visitor.At.TenantId != request.Client.TenantId;
        if (role is null || isForeign)
            return Refuse(http, request, OAuthError.AccessDenied, "The person is no member of the organization.");
        return await DecideAsync(http, request, visitor, parameters, answer, cancellationToken);
    }

    private async Task<IResult> DecideAsync(
        HttpContext http,
        AuthorizationDemand request,
        Visitor visitor,
        OAuthParameters parameters,
        Answer answer,
        CancellationToken cancellationToken
    )
    {
        var client = request.Client;
        if (answer == Answer.Denied)
            return Refuse(http, request, OAuthError.AccessDenied, "The person does not agree.");
        if (answer == Answer.Allowed)
        {
            await consents.GiveAsync(
                new AppendContext(client.TenantId, $"user:{visitor.UserId}", RequestId.Of(http))
                {
                    Subject = visitor.UserId,
                },
                visitor.UserId,
                client.Id,
                request.Scopes,
                cancellationToken
            );
        }
        else if (await MustAskAsync(request, visitor, cancellationToken))
        {
            if (request.Asks(AuthorizationDemand.PromptNone))
                return Refuse(http, request, OAuthError.ConsentRequired, "The person was not asked for consent yet.");
            return await AskAsync(http, request, visitor, parameters, cancellationToken);
        }

        var code = await codes.IssueAsync(http, request, visitor.UserId, visitor.At, visitor.Login, cancellationToken);
        return AuthorizationResponse.Redirect(http, request.RedirectUri, issuer.Value, request.State, ("code", code));
    }

    private async Task<bool> MustAskAsync(
        AuthorizationDemand request,
        Visitor visitor,
        CancellationToken cancellationToken
    )
    {
        if (request.Asks(AuthorizationDemand.PromptConsent))
            return true;
        if (request.Client.Settings.IsFirstParty)
            return false;
        var consent = await consents.FindAsync(
            request.Client.TenantId,
            visitor.UserId,
            request.Client.Id,
            cancellationToken
        );
        return consent?.Value.Covers(request.Scopes) is not true;
    }

    private async Task<IResult> AskAsync(
        HttpContext http,
        AuthorizationDemand request,
        Visitor visitor,
        OAuthParameters parameters,
        CancellationToken cancellationToken
    )
    {
        var tenant = request.Client.TenantId;
        var organization = await documents.LoadAsync<Organization>(Access.ToAll(tenant), tenant, cancellationToken);
        var user = await documents.LoadAsync<Users.User>(Access.ToAll(tenant), visitor.UserId, cancellationToken);
        return AuthorizationPages.Consent(
            request,
            organization?.Value.Name ?? "",
            user?.Value.Email ?? "",
            QueryOf(parameters, parameters[LoginFreshness.Parameter]).ToString(),
            LoginCookies.AntiforgeryTokenOf(LoginCookies.Of(http.Request)!)
        );
    }

    private async Task<Visitor?> FindVisitorAsync(HttpContext http, CancellationToken cancellationToken)
    {
        // Only a page of ours, with its cookie, speaks for a person here: an application's token must not get another application in.
        if (
            !CredentialHandler.IsByCookie(http.Request)
            || http.User.Identity is not CallerIdentity { Caller: { LoginId: { } loginId } caller }
        )
            return null;
        var login = await documents.LoadAsync<Login>(caller.Access, loginId, cancellationToken);
        return login is { Value: { ClientId: null } value } && value.IsActive(time.GetUtcNow())
            ? new Visitor(caller.PrincipalId, (caller.TenantId, loginId), value, caller.Pending is not null)
            : null;
    }

    private bool IsFresh(AuthorizationDemand request, Login login, string? loginAfter)
    {
        if (freshness.Read(loginAfter) is { } sentAt && login.StartedAt >= sentAt)
            return true;
        if (request.Asks(AuthorizationDemand.PromptLogin))
            return false;
        return request.MaxAge is not { } maxAge || time.GetUtcNow() - login.StartedAt <= TimeSpan.FromSeconds(maxAge);
    }

    private IResult SendTo(
        string page,
        HttpContext http,
        AuthorizationDemand request,
        OAuthParameters parameters,
        string? loginAfter
    )
    {
        if (request.Asks(AuthorizationDemand.PromptNone))
            return Refuse(http, request, OAuthError.LoginRequired, "The person is not logged in.");
        var query = QueryOf(parameters, loginAfter);
        if (!LocalPath.TryParse(AuthorizePath + query, out var back))
            return Refuse(http, request, OAuthError.InvalidRequest, "The request is too long.");
        OAuthError.NoStore(http);
        return AuthorizationResponse.SeeOther(http, back.AsReturnOf(page));
    }

    private IResult Refuse(HttpContext http, AuthorizationDemand request, string code, string description) =>
        AuthorizationResponse.Error(
            http,
            request.RedirectUri,
            issuer.Value,
            request.State,
            new OAuthError(400, code, description)
        );

    // Only what this server understands is carried on.
    private static QueryString QueryOf(OAuthParameters parameters, string? loginAfter)
    {
        var query = new QueryBuilder();
        foreach (var name in AuthorizationDemand.ParameterNames)
        {
            if (parameters[name] is { } value)
                query.Add(name, value);
        }
        if (loginAfter is not null)
            query.Add(LoginFreshness.Parameter, loginAfter);
        return query.ToQueryString();
    }
}
