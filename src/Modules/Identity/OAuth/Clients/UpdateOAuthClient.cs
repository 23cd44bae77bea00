using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>What to change of an OAuth client; what is left out stays.</summary>
public sealed record UpdateOAuthClientRequest(
    [property: StringLength(100, MinimumLength = 1)]
    [property: Description("What people see when they are asked to consent.")]
        string? Name = null,
    [property: Description("The most that it is given from now on.")] IReadOnlyList<string>? Scopes = null,
    [property: Description("Where people are sent back to.")] IReadOnlyList<string>? RedirectUris = null,
    [property: Description("Where people may be sent after they have logged out.")]
        IReadOnlyList<string>? PostLogoutRedirectUris = null,
    [property: Description("How it gets tokens.")] IReadOnlyList<string>? GrantTypes = null,
    [property: Description("What it is when it acts for itself; for client_credentials alone.")] Role? Role = null,
    [property: Description("Whether people are spared the question for consent.")] bool? IsFirstParty = null
);

internal sealed class UpdateOAuthClient : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/oauth-clients/{id:guid}", HandleAsync)
            .RequireScope(Scopes.OAuthClientsWrite)
            .WithTags("OAuth clients")
            .WithSummary("Change an OAuth client")
            .WithDescription(
                "Changes what is given and leaves the rest. Takes effect within a second on every instance. How the client proves itself is for good: register another one."
            )
            .WithRequestExample(new UpdateOAuthClientRequest(Name: "The new intranet"))
            .WithResponseExample(StatusCodes.Status200OK, OAuthClientResponse.Example)
            .ProducesError(404, OAuthClientErrors.NotFoundCode, OAuthClientErrors.NotFoundMessage)
            .ProducesError(409, OAuthClientErrors.DeletedCode, OAuthClientErrors.DeletedMessage)
            .ProducesError(
                422,
                "identity.invalid-redirect-uri",
                "'https://a.example/#b' cannot be registered: it must have no fragment (RFC 6749 §3.1.2)."
            );

    private static async Task<Results<Ok<OAuthClientResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The client.")] Guid id,
        UpdateOAuthClientRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        OAuthClients clients,
        Standings standings,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<OAuthClient>(
            caller.For(http),
            id,
            client => Decide(client, request, caller.Scopes),
            cancellationToken
        );
        // This instance need not wait to hear it from the log.
        clients.Forget(id);
        standings.Forget(id);
        return outcome.Match<Results<Ok<OAuthClientResponse>, ProblemHttpResult>>(
            client =>
            {
                EntityTags.Set(http, client.Version);
                return TypedResults.Ok(OAuthClientResponse.From(id, client.Value));
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        OAuthClient? client,
        UpdateOAuthClientRequest request,
        IReadOnlySet<string> makerScopes
    )
    {
        if (client is null)
            return OAuthClientErrors.NotFound;
        if (client.DeletedAt is not null)
            return OAuthClientErrors.Deleted;
        var before = client.Settings;
        var grantTypes = request.GrantTypes is null ? before.GrantTypes : ClientLists.Of(request.GrantTypes);
        var after = before with
        {
            Name = request.Name ?? before.Name,
            Scopes = request.Scopes is null ? before.Scopes : ClientLists.Of(request.Scopes),
            RedirectUris = request.RedirectUris is null ? before.RedirectUris : ClientLists.Of(request.RedirectUris),
            PostLogoutRedirectUris = request.PostLogoutRedirectUris is null
                ? before.PostLogoutRedirectUris
                : ClientLists.Of(request.PostLogoutRedirectUris),
            GrantTypes = grantTypes,
            // Without the grant type the role goes with it, unless one is asked for, which is a mistake to be told.
            Role =
                request.Role
                ?? (grantTypes.Contains(OAuthWords.ClientCredentials, StringComparer.Ordinal) ? before.Role : null),
            IsFirstParty = request.IsFirstParty ?? before.IsFirstParty,
        };
        if (after == before)
            return Decision.Nothing;
        return ClientRules.Refuse(after, makerScopes) ?? Decision.Append(new OAuthClientChanged(after));
    }
}
