using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.ServiceAccounts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>An API key to make.</summary>
public sealed record CreateApiKeyRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] [property: Description("What it is for.")] string Name,
    [property: Description("What it may do; at most what you may. Left out: inferences:create and models:read.")]
        IReadOnlyList<string>? Scopes = null,
    [property: Description("When it ends by itself; never, if left out.")] DateTimeOffset? ExpiresAt = null,
    [property: Description("The project that it belongs to, if any.")] Guid? ProjectId = null,
    [property: AddressRanges]
    [property: Description(
        "The only networks or addresses that it works from, IPv4 or IPv6: 10.0.0.0/8. Left out or empty: everywhere."
    )]
        IReadOnlyList<string>? AllowedAddresses = null
);

/// <summary>A key that was made.</summary>
/// <param name="Id">The key.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Secret">The credential itself, shown only in this answer.</param>
/// <param name="Prefix">The secret's first characters, by which lists show it.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="PrincipalId">Who it acts as.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
public sealed record CreatedApiKeyResponse(
    Guid Id,
    string Name,
    string Secret,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid PrincipalId,
    DateTimeOffset? ExpiresAt
)
{
    internal static readonly CreatedApiKeyResponse Example = new(
        ApiKeyResponse.Example.Id,
        ApiKeyResponse.Example.Name,
        "vk_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE",
        ApiKeyResponse.Example.Prefix,
        ApiKeyResponse.Example.Scopes,
        ApiKeyResponse.Example.PrincipalId,
        ApiKeyResponse.Example.ExpiresAt
    );

    internal static CreatedApiKeyResponse From(Guid id, ApiKey key, string secret) =>
        new(id, key.Name, secret, key.Prefix, key.Scopes, key.PrincipalId, key.ExpiresAt);
}

internal sealed class CreateApiKey : IEndpoint
{
    private static readonly string[] DefaultScopes = [Scopes.InferencesCreate, Scopes.ModelsRead];

    internal static readonly CreateApiKeyRequest RequestExample = new(
        "The billing job",
        [Scopes.InferencesCreate, Scopes.ModelsRead]
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/api-keys", HandleAsync)
            .RequireScope(Scopes.ApiKeysWrite)
            .WithTags("API keys")
            .WithSummary("Make an API key of your own")
            .WithDescription(
                "Makes a key that acts as you and returns its secret, which is shown only in this answer; the server keeps a hash. It never does more than you may, also when that becomes less."
            )
            .WithRequestExample(RequestExample)
            .WithResponseExample(StatusCodes.Status201Created, CreatedApiKeyResponse.Example)
            .ProducesError(
                403,
                "identity.scope-beyond-yours",
                "You cannot grant 'audit:read': you do not have it yourself."
            )
            .ProducesError(422, "identity.no-scope", "Name at least one scope, or leave 'scopes' out.")
            .ProducesError(422, "identity.unknown-scope", "There is no scope 'everything'. The scopes are …")
            .ProducesError(422, "identity.expiry-in-the-past", "'expiresAt' must lie in the future.");

    private static async Task<Results<Created<CreatedApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        CreateApiKeyRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        IdSource ids,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var isMachine =
            await store.LoadAsync<ServiceAccount>(caller.Access, caller.PrincipalId, cancellationToken) is not null;
        var kind = isMachine ? PrincipalKind.ServiceAccount : PrincipalKind.User;
        var id = ids.New();
        var secret = ApiKeySecret.New();
        var outcome = await store.DecideAsync<ApiKey>(
            caller.For(http),
            id,
            _ => Decide(caller, caller.PrincipalId, kind, id, request, secret, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Created<CreatedApiKeyResponse>, ProblemHttpResult>>(
            key => TypedResults.Created($"/api/api-keys/{id}", CreatedApiKeyResponse.From(id, key.Value, secret)),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        Caller caller,
        Guid principalId,
        PrincipalKind kind,
        Guid id,
        CreateApiKeyRequest request,
        string secret,
        DateTimeOffset now
    )
    {
        var scopes = ScopeGrant.Normalize(request.Scopes ?? DefaultScopes);
        if (ScopeGrant.Refuse(caller, scopes) is { } refusal)
            return refusal;
        if (request.ExpiresAt <= now)
            return ChangeApiKey.ExpiryInThePast;

        var created = new ApiKeyCreated(
            request.Name,
            ApiKeySecret.PrefixOf(secret),
            scopes,
            principalId,
            kind,
            request.ProjectId,
            request.AllowedAddresses ?? [],
            now,
            request.ExpiresAt?.ToUniversalTime()
        );
        return Decision.Append(created).AlsoWriting(ApiKeySecret.Store(caller.TenantId, id, secret));
    }
}
