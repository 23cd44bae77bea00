using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>An OAuth client to register.</summary>
public sealed record CreateOAuthClientRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: Description("What people see when they are asked to consent.")]
        string Name,
    [property: Description(
        "The most that it is given; at most what you may, and openid, email, profile, offline_access."
    )]
        IReadOnlyList<string> Scopes,
    [property: Description(
        "Where people are sent back to, compared exactly: https, a loopback address (whose port may differ), or a scheme of the application's own."
    )]
        IReadOnlyList<string>? RedirectUris = null,
    [property: Description("Where people may be sent after they have logged out, compared exactly.")]
        IReadOnlyList<string>? PostLogoutRedirectUris = null,
    [property: Description(
        "authorization_code, refresh_token, client_credentials. Left out: authorization_code and refresh_token."
    )]
        IReadOnlyList<string>? GrantTypes = null,
    [property: Description(
        "client_secret_basic (if left out), client_secret_post, or none for an application on people's machines."
    )]
        string? TokenEndpointAuthMethod = null,
    [property: Description("What it is when it acts for itself; for client_credentials alone. At most what you are.")]
        Role? Role = null,
    [property: Description("True: people are not asked for consent, since the application is the organization's own.")]
        bool IsFirstParty = false
);

/// <summary>A client that was registered.</summary>
/// <param name="Client">The client.</param>
/// <param name="Secret">Its secret, shown only in this answer; null for a public client.</param>
public sealed record CreatedOAuthClientResponse(OAuthClientResponse Client, string? Secret);

internal sealed class CreateOAuthClient : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/oauth-clients", HandleAsync)
            .RequireScope(Scopes.OAuthClientsWrite)
            .WithTags("OAuth clients")
            .WithSummary("Register an OAuth client")
            .WithDescription(
                "Registers an application. Its `client_id` is the id; the secret of one that can keep it is shown only in this answer."
            )
            .WithRequestExample(
                new CreateOAuthClientRequest(
                    OAuthClientResponse.Example.Name,
                    OAuthClientResponse.Example.Scopes,
                    OAuthClientResponse.Example.RedirectUris,
                    OAuthClientResponse.Example.PostLogoutRedirectUris
                )
            )
            .WithResponseExample(
                StatusCodes.Status201Created,
                new CreatedOAuthClientResponse(
                    OAuthClientResponse.Example,
                    "vcs_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE"
                )
            )
            .ProducesError(
                403,
                "identity.scope-beyond-yours",
                "You cannot grant 'audit:read': you do not have it yourself."
            )
            .ProducesError(403, "identity.role-beyond-yours", "You cannot give a role that may do more than you.")
            .ProducesError(
                422,
                "identity.invalid-redirect-uri",
                "'https://a.example/#b' cannot be registered: it must have no fragment (RFC 6749 §3.1.2)."
            );

    private static async Task<Results<Created<CreatedOAuthClientResponse>, ProblemHttpResult>> HandleAsync(
        CreateOAuthClientRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        var secret = ClientSecret.New();
        var outcome = await store.DecideAsync<OAuthClient>(
            caller.For(http),
            id,
            _ => Decide(caller, id, request, secret, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Created<CreatedOAuthClientResponse>, ProblemHttpResult>>(
            client =>
                TypedResults.Created(
                    $"/api/oauth-clients/{id}",
                    new CreatedOAuthClientResponse(
                        OAuthClientResponse.From(id, client.Value),
                        client.Value.Settings.IsConfidential ? secret : null
                    )
                ),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        Caller caller,
        Guid id,
        CreateOAuthClientRequest request,
        string secret,
        DateTimeOffset now
    )
    {
        var settings = new ClientSettings(
            request.Name,
            request.TokenEndpointAuthMethod ?? OAuthWords.ClientSecretBasic,
            ClientLists.Of(request.GrantTypes ?? [OAuthWords.AuthorizationCode, OAuthWords.RefreshToken]),
            ClientLists.Of(request.RedirectUris),
            ClientLists.Of(request.PostLogoutRedirectUris),
            ClientLists.Of(request.Scopes),
            request.Role,
            request.IsFirstParty
        );
        if (ClientRules.Refuse(settings, caller.Scopes) is { } refusal)
            return refusal;
        if (!settings.IsConfidential)
            return Decision.Append(new OAuthClientRegistered(settings, SecretPrefix: null, caller.PrincipalId, now));
        return Decision
            .Append(new OAuthClientRegistered(settings, ClientSecret.PrefixOf(secret), caller.PrincipalId, now))
            .AlsoWriting(ClientSecret.Store(caller.TenantId, id, secret, now));
    }
}
