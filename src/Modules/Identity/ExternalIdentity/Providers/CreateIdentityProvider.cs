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
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>An identity provider to register.</summary>
public sealed record CreateIdentityProviderRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: Description("What people see on the button.")]
        string Name,
    [property: Required, StringLength(500)]
    [property: Description("The provider's issuer, exactly as it stands in its tokens.")]
        string Issuer,
    [property: Required, StringLength(500)]
    [property: Description("What this server is called at the provider.")]
        string ClientId,
    [property: Required, StringLength(1000)]
    [property: Description("What this server proves itself with there. It is never shown again.")]
        string ClientSecret,
    [property: Description("What is asked for beside openid; email if left out.")] IReadOnlyList<string>? Scopes = null,
    [property: Description("What becomes of somebody who logs in for the first time.")]
        LinkPolicy LinkPolicy = LinkPolicy.LinkVerifiedEmail,
    [property: Description("The only domains of addresses that are taken; any if left out.")]
        IReadOnlyList<string>? AllowedDomains = null,
    [property: Description("The role of somebody for whom no mapping holds; without it they do not get in.")]
        Role? DefaultRole = null,
    [property: StringLength(200)]
    [property: Description("The claim that the mappings are about.")]
        string? RoleClaim = null,
    [property: Description("Values of that claim, and the role that each gives; the first that holds counts.")]
        IReadOnlyList<RoleMapping>? RoleMappings = null,
    [property: StringLength(500)]
    [property: Description(
        "Access tokens of the provider with this audience are taken by the API, of people who have logged in with it before; none if left out."
    )]
        string? ApiAudience = null
);

internal sealed class CreateIdentityProvider(DocumentStore store, MasterKey masterKey, IdSource ids, TimeProvider time)
    : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/identity-providers", HandleAsync)
            .RequireScope(Scopes.IdentityProvidersWrite)
            .WithTags("Identity providers")
            .WithSummary("Register an identity provider")
            .WithDescription(
                "People of your organization can log in with this OpenID Connect provider from then on, at `loginPath`. Register `redirectPath`, behind this server's address, as redirect URI there."
            )
            .WithRequestExample(
                new CreateIdentityProviderRequest(
                    "Example ID",
                    "https://id.example.com",
                    "verbatim",
                    "the secret from there",
                    DefaultRole: Role.User
                )
            )
            .WithResponseExample(StatusCodes.Status201Created, IdentityProviderResponse.Example)
            .ProducesError(403, "identity.role-beyond-yours", "You cannot give a role that may do more than you.")
            .ProducesError(
                422,
                "identity.invalid-issuer",
                "'issuer' must be an https address without query and fragment."
            )
            .ProducesError(422, "identity.no-role", "Give a 'defaultRole' or 'roleMappings': nobody could get in.");

    private async Task<Results<Created<IdentityProviderResponse>, ProblemHttpResult>> HandleAsync(
        CreateIdentityProviderRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        var settings = new ProviderSettings(
            request.Name,
            request.Issuer,
            request.ClientId,
            [.. request.Scopes ?? ["email"]],
            request.LinkPolicy,
            [.. (request.AllowedDomains ?? []).Select(d => d.ToLowerInvariant())],
            request.DefaultRole,
            request.RoleClaim,
            [.. request.RoleMappings ?? []],
            IsEnabled: true,
            request.ApiAudience
        );
        var secret = SealedProviderSecrets.Store(masterKey, caller.TenantId, id, request.ClientSecret);
        var outcome = await store.DecideAsync<IdentityProvider>(
            caller.For(http),
            id,
            _ =>
                ProviderRules.Refuse(settings, caller.Scopes)
                ?? Decision
                    .Append(new IdentityProviderRegistered(settings, caller.PrincipalId, time.GetUtcNow()))
                    .AlsoWriting(secret),
            cancellationToken
        );
        return outcome.Match<Results<Created<IdentityProviderResponse>, ProblemHttpResult>>(
            provider =>
            {
                EntityTags.Set(http, provider.Version);
                return TypedResults.Created(
                    $"/api/identity-providers/{id}",
                    IdentityProviderResponse.From(id, provider.Value)
                );
            },
            refusal => Problems.From(refusal)
        );
    }
}
