using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.OAuth;
using Verbatim.Modules.Identity.OAuth.Authorization;
using Verbatim.Modules.Identity.Pages;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>Logging in with an identity provider: there and back again (OpenID Connect Core 1.0 §3.1).</summary>
internal sealed partial class ExternalLoginPages(
    Database database,
    MasterKey masterKey,
    ActiveProviders active,
    ProviderDocuments providers,
    ExternalLoginStates states,
    ExternalPeople people,
    LoginStarter logins,
    Issuer issuer,
    TimeProvider time,
    ILogger<ExternalLoginPages> logger
) : IEndpoint
{
    // What a login at a provider is called where it does not say how the person proved themself there.
    private static readonly string[] Factors = ["ext"];

    private readonly ILogger<ExternalLoginPages> _logger = logger;

    public string Prefix => "";

    /// <summary>Where a login with a provider begins.</summary>
    public static string PathOf(Guid providerId) => $"/login/external/{providerId}";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage("/login/external/{id:guid}", BeginAsync);
        routes.MapPage("/login/external/{id:guid}/callback", FinishAsync);
    }

    private async Task<IResult> BeginAsync(HttpContext http)
    {
        var id = IdOf(http);
        var returnTo = LocalPath.OrRoot(http.Request.Query[LoginPage.ReturnField]);
        if (await active.FindAsync(id, http.RequestAborted) is not { Provider: var provider })
            return Failed(StatusCodes.Status404NotFound, returnTo);
        DiscoveredProvider discovered;
        try
        {
            discovered = await providers.DiscoverAsync(provider.Issuer, http.RequestAborted);
        }
        catch (ProviderException e)
        {
            LogFailed(e, id);
            return Failed(StatusCodes.Status502BadGateway, returnTo);
        }
        var wish = ExternalLoginWish.Of(returnTo);
        var state = states.Begin(http, id, returnTo.Value, wish.MaxAge);
        return AuthorizationResponse.SeeOther(
            http,
            AuthorizationResponse.Append(
                discovered.AuthorizationEndpoint,
                [
                    .. wish.Parameters,
                    ("response_type", "code"),
                    ("client_id", provider.ClientId),
                    ("redirect_uri", RedirectUriOf(id)),
                    (
                        "scope",
                        OAuthScopes.Write(provider.Scopes.Prepend(OAuthWords.OpenId).Distinct(StringComparer.Ordinal))
                    ),
                    ("state", state.State),
                    ("nonce", state.Nonce),
                    (
                        "code_challenge",
                        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(state.Verifier)))
                    ),
                    ("code_challenge_method", "S256"),
                ]
            )
        );
    }

    private async Task<IResult> FinishAsync(HttpContext http)
    {
        var id = IdOf(http);
        var cancellationToken = http.RequestAborted;
        var parameters = OAuthParameters.Of(http.Request.Query);
        var state = states.Take(http);
        var returnTo = LocalPath.OrRoot(state?.ReturnTo);
        if (
            state is null
            || state.ProviderId != id
            || parameters.Repeated is not null
            || parameters["state"] is not { } returned
            || !CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(returned),
                Encoding.UTF8.GetBytes(state.State)
            )
            || await active.FindAsync(id, cancellationToken) is not var (tenantId, provider)
        )
            return Failed(StatusCodes.Status400BadRequest, returnTo);
        try
        {
            if (await ReadClaimsAsync(id, provider, parameters, state, cancellationToken) is not { } claims)
                return Failed(StatusCodes.Status400BadRequest, returnTo);
            if (
                await people.EnterAsync(http, tenantId, id, provider, claims, cancellationToken)
                is not var (userId, role)
            )
                return NotLetIn(returnTo);
            await logins.StartAsync(
                http,
                new NewLogin
                {
                    TenantId = tenantId,
                    UserId = userId,
                    Role = role,
                    Method = LoginMethod.ExternalProvider,
                    Factors = Factors,
                    Credential = LoginCredential.Cookie,
                },
                [],
                cancellationToken
            );
            return Onward.To(returnTo, "You are logged in");
        }
        catch (ProviderException e)
        {
            LogFailed(e, id);
            return Failed(StatusCodes.Status502BadGateway, returnTo);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The same person, in two windows at once: the other one has linked them.
            return Failed(StatusCodes.Status409Conflict, returnTo);
        }
    }

    private async Task<ExternalClaims?> ReadClaimsAsync(
        Guid id,
        ProviderSettings provider,
        OAuthParameters parameters,
        ExternalLoginState state,
        CancellationToken cancellationToken
    )
    {
        var discovered = await providers.DiscoverAsync(provider.Issuer, cancellationToken);
        // RFC 9207 §2.4: an answer of another server is none, and one without a name is none of a server that gives its name.
        if (parameters["iss"] is { } iss ? iss != provider.Issuer : discovered.SendsIssuer)
            return null;
        if (
            parameters["code"] is not { } code
            || await SealedProviderSecrets.ReadAsync(database, masterKey, id, cancellationToken) is not { } secret
        )
            return null;
        var (idToken, accessToken) = await providers.ExchangeAsync(
            discovered,
            provider.ClientId,
            secret,
            code,
            RedirectUriOf(id),
            state.Verifier,
            cancellationToken
        );
        if (await providers.VerifyAsync(discovered, idToken, cancellationToken) is not { } payload)
            return null;
        if (ExternalClaims.Read(payload, provider, state, time.GetUtcNow()) is not { } claims)
            return null;
        if (claims.Email is not null || accessToken is null || discovered.UserinfoEndpoint is not { } userinfo)
            return claims;
        using var more = await providers.ReadUserinfoAsync(userinfo, accessToken, cancellationToken);
        return claims.With(more.RootElement, provider);
    }

    private string RedirectUriOf(Guid id) => issuer.Locate(PathOf(id) + "/callback");

    private static Guid IdOf(HttpContext http) =>
        Guid.TryParse(http.GetRouteValue("id") as string, out var id) ? id : Guid.Empty;

    // Nothing of the provider's answer is shown: it may be anybody's words.
    private static PageResult Failed(int status, LocalPath returnTo) =>
        new(
            "The login did not work",
            Html.Of(
                $"<p>Your identity provider could not be asked, or its answer was not for this login. <a href=\"{returnTo.AsReturnOf(LoginPage.Path)}\">Try again</a>.</p>"
            )
        )
        {
            Status = status,
        };

    private static PageResult NotLetIn(LocalPath returnTo) =>
        new(
            "You have no access yet",
            Html.Of(
                $"""
                <p>Your identity provider knows you, but you are no member of the organization. Ask those who administer it.</p>
                <p class="links"><a href="{returnTo.AsReturnOf(LoginPage.Path)}">Log in another way</a></p>
                """
            )
        )
        {
            Status = StatusCodes.Status403Forbidden,
        };

    [LoggerMessage(LogLevel.Warning, "A login with the identity provider {ProviderId} failed")]
    private partial void LogFailed(Exception exception, Guid providerId);
}
