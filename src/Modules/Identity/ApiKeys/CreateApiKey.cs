using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
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
    [property: Description("When it ends by itself; never, if left out.")] DateTimeOffset? ExpiresAt = null
);

/// <summary>A key that was made.</summary>
/// <param name="Id">The key.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Secret">The credential itself, shown only in this answer.</param>
/// <param name="Prefix">The secret's first characters, by which lists show it.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
public sealed record CreatedApiKeyResponse(
    Guid Id,
    string Name,
    string Secret,
    string Prefix,
    IReadOnlyList<string> Scopes,
    DateTimeOffset? ExpiresAt
);

internal sealed class CreateApiKey : IEndpoint
{
    private static readonly string[] DefaultScopes = [Scopes.InferencesCreate, Scopes.ModelsRead];

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/api-keys", HandleAsync)
            .RequireScope(Scopes.ApiKeysWrite)
            .WithTags("API keys")
            .WithSummary("Make an API key")
            .WithDescription(
                "Makes a key and returns its secret, which is shown only in this answer; the server keeps a hash."
            )
            .WithRequestExample(
                new CreateApiKeyRequest("The billing job", [Scopes.InferencesCreate, Scopes.ModelsRead])
            )
            .WithResponseExample(
                StatusCodes.Status201Created,
                new CreatedApiKeyResponse(
                    ApiKeyResponse.Example.Id,
                    ApiKeyResponse.Example.Name,
                    "vk_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE",
                    ApiKeyResponse.Example.Prefix,
                    ApiKeyResponse.Example.Scopes,
                    ApiKeyResponse.Example.ExpiresAt
                )
            )
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
        var id = ids.New();
        var secret = ApiKeySecret.New();
        var outcome = await store.DecideAsync<ApiKey>(
            caller.For(http),
            id,
            _ => Decide(caller, id, request, secret, time.GetUtcNow()),
            cancellationToken
        );
        return outcome.Match<Results<Created<CreatedApiKeyResponse>, ProblemHttpResult>>(
            key =>
                TypedResults.Created(
                    $"/api/api-keys/{id}",
                    new CreatedApiKeyResponse(
                        id,
                        key.Value.Name,
                        secret,
                        key.Value.Prefix,
                        key.Value.Scopes,
                        key.Value.ExpiresAt
                    )
                ),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        Caller caller,
        Guid id,
        CreateApiKeyRequest request,
        string secret,
        DateTimeOffset now
    )
    {
        var scopes = (request.Scopes ?? DefaultScopes)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (scopes.Count == 0)
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.no-scope",
                "Name at least one scope, or leave 'scopes' out."
            );
        if (scopes.Find(s => !Scopes.All.Contains(s, StringComparer.Ordinal)) is { } unknown)
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.unknown-scope",
                $"There is no scope '{unknown}'. The scopes are {string.Join(", ", Scopes.All)}."
            );
        if (scopes.Find(s => !caller.Scopes.Contains(s)) is { } beyond)
            return Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.scope-beyond-yours",
                $"You cannot grant '{beyond}': you do not have it yourself."
            );
        if (request.ExpiresAt <= now)
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.expiry-in-the-past",
                "'expiresAt' must lie in the future."
            );

        var created = new ApiKeyCreated(
            request.Name,
            ApiKeySecret.PrefixOf(secret),
            scopes,
            caller.PrincipalId,
            now,
            request.ExpiresAt?.ToUniversalTime()
        );
        return Decision.Append(created).AlsoWriting(ApiKeySecret.Store(caller.TenantId, id, secret));
    }
}
