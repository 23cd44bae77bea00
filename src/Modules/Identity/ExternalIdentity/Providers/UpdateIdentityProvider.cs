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

/// <summary>What to change of an identity provider; what is left out stays.</summary>
public sealed record UpdateIdentityProviderRequest(
    [property: StringLength(100, MinimumLength = 1)]
    [property: Description("What people see on the button.")]
        string? Name = null,
    [property: StringLength(500)]
    [property: Description(
        "The provider's issuer. People who are known by another one are asked for their address anew."
    )]
        string? Issuer = null,
    [property: StringLength(500)]
    [property: Description("What this server is called at the provider.")]
        string? ClientId = null,
    [property: StringLength(1000)]
    [property: Description("What this server proves itself with there.")]
        string? ClientSecret = null,
    [property: Description("What is asked for beside openid.")] IReadOnlyList<string>? Scopes = null,
    [property: Description("What becomes of somebody who logs in for the first time.")] LinkPolicy? LinkPolicy = null,
    [property: Description("The only domains of addresses that are taken.")]
        IReadOnlyList<string>? AllowedDomains = null,
    [property: Description("The role of somebody for whom no mapping holds.")] Role? DefaultRole = null,
    [property: StringLength(200)]
    [property: Description("The claim that the mappings are about.")]
        string? RoleClaim = null,
    [property: Description("Values of that claim, and the role that each gives.")]
        IReadOnlyList<RoleMapping>? RoleMappings = null,
    [property: Description("False: nobody logs in with it.")] bool? IsEnabled = null,
    [property: StringLength(500)]
    [property: Description(
        "Access tokens of the provider with this audience are taken by the API, of people who have logged in with it before; none if left out."
    )]
        string? ApiAudience = null
);

internal sealed class UpdateIdentityProvider(DocumentStore store, MasterKey masterKey, TimeProvider time) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/identity-providers/{id:guid}", HandleAsync)
            .RequireScope(Scopes.IdentityProvidersWrite)
            .WithTags("Identity providers")
            .WithSummary("Change an identity provider")
            .WithDescription("Changes what is given and leaves the rest.")
            .WithRequestExample(new UpdateIdentityProviderRequest(IsEnabled: false))
            .WithResponseExample(StatusCodes.Status200OK, IdentityProviderResponse.Example)
            .ProducesError(404, ProviderRules.NotFoundCode, ProviderRules.NotFoundMessage)
            .ProducesError(403, "identity.role-beyond-yours", "You cannot give a role that may do more than you.");

    private async Task<Results<Ok<IdentityProviderResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        UpdateIdentityProviderRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var secret = request.ClientSecret is null
            ? null
            : SealedProviderSecrets.Store(masterKey, caller.TenantId, id, request.ClientSecret);
        var outcome = await store.DecideAsync<IdentityProvider>(
            caller.For(http),
            id,
            provider => Decide(provider, request, caller.Scopes, secret, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Ok<IdentityProviderResponse>, ProblemHttpResult>>(
            provider =>
            {
                EntityTags.Set(http, provider.Version);
                return TypedResults.Ok(IdentityProviderResponse.From(id, provider.Value));
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        IdentityProvider? provider,
        UpdateIdentityProviderRequest request,
        IReadOnlySet<string> makerScopes,
        SqlWrite? secret,
        DateTimeOffset now
    )
    {
        if (provider is null or { DeletedAt: not null })
            return ProviderRules.NotFound;
        var before = provider.Settings;
        var after = before with
        {
            Name = request.Name ?? before.Name,
            Issuer = request.Issuer ?? before.Issuer,
            ClientId = request.ClientId ?? before.ClientId,
            Scopes = request.Scopes ?? before.Scopes,
            LinkPolicy = request.LinkPolicy ?? before.LinkPolicy,
            AllowedDomains = request.AllowedDomains is null
                ? before.AllowedDomains
                : [.. request.AllowedDomains.Select(d => d.ToLowerInvariant())],
            DefaultRole = request.DefaultRole ?? before.DefaultRole,
            RoleClaim = request.RoleClaim ?? before.RoleClaim,
            RoleMappings = request.RoleMappings ?? before.RoleMappings,
            IsEnabled = request.IsEnabled ?? before.IsEnabled,
            ApiAudience = request.ApiAudience ?? before.ApiAudience,
        };
        if (ProviderRules.Refuse(after, makerScopes) is { } refusal)
            return refusal;
        var events = new List<IEvent>();
        if (after != before)
            events.Add(new IdentityProviderChanged(after));
        if (secret is not null)
            events.Add(new IdentityProviderSecretReplaced(now));
        var decision = events.Count == 0 ? Decision.Nothing : Decision.Append(events);
        return secret is null ? decision : decision.AlsoWriting(secret);
    }
}
