using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>How to rotate a key's secret.</summary>
public sealed record RotateApiKeyRequest(
    [property: Range(0, RotateApiKeyRequest.MaxGraceSeconds)]
    [property: Description("How long the secret from before works too, 0 to 604800 (a week); 3600 if left out.")]
        int GraceSeconds = RotateApiKeyRequest.DefaultGraceSeconds
)
{
    internal const int DefaultGraceSeconds = 3600;
    internal const int MaxGraceSeconds = 604_800;
}

/// <summary>A key with its new secret.</summary>
/// <param name="Id">The key: still the same.</param>
/// <param name="Secret">The new secret, shown only in this answer. It works at once.</param>
/// <param name="Prefix">Its first characters.</param>
/// <param name="OldPrefix">The first characters of the secret from before.</param>
/// <param name="GraceEndsAt">Until when that one works too.</param>
public sealed record RotatedApiKeyResponse(
    Guid Id,
    string Secret,
    string Prefix,
    string OldPrefix,
    DateTimeOffset GraceEndsAt
);

internal sealed class RotateApiKey : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/api-keys/{id:guid}/rotations", HandleAsync)
            .RequireScope(Scopes.ApiKeysWrite)
            .WithTags("API keys")
            .WithSummary("Rotate the secret of an API key")
            .WithDescription(
                "Gives the key another secret. Both work until the grace ends, so that no request fails while programs are given the new one. A key has two secrets at most: rotating again during the grace ends the oldest at once. "
                    + "A person's key is rotated by that person; a service account's by whoever may manage it, or by itself."
            )
            .WithRequestExample(new RotateApiKeyRequest())
            .WithResponseExample(
                StatusCodes.Status201Created,
                new RotatedApiKeyResponse(
                    ApiKeyResponse.Example.Id,
                    "vk_Jx91bMD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE",
                    "vk_Jx91b",
                    ApiKeyResponse.Example.Prefix,
                    new DateTimeOffset(2026, 3, 9, 10, 30, 0, TimeSpan.Zero)
                )
            )
            .ProducesError(403, "identity.not-your-api-key", "Only the person whose key it is may be given its secret.")
            .ProducesError(
                403,
                "identity.scope-beyond-yours",
                "The key may do 'audit:read', which you may not: you cannot be given its secret."
            )
            .ProducesError(404, "identity.api-key-not-found", "There is no such API key.")
            .ProducesError(409, "identity.api-key-ended", "The key was revoked or has ended; make another one.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Created<RotatedApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The key.")] Guid id,
        RotateApiKeyRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Standings standings,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var secret = ApiKeySecret.New();
        var grace = TimeSpan.FromSeconds(request.GraceSeconds);
        var outcome = await store.DecideAsync<ApiKey>(
            caller.For(http),
            id,
            key => Decide(key, caller, id, secret, grace, time.GetUtcNow()),
            cancellationToken
        );
        standings.Forget(id);
        return outcome.Match<Results<Created<RotatedApiKeyResponse>, ProblemHttpResult>>(
            key =>
            {
                EntityTags.Set(http, key.Version);
                var rotation = key.Value.Rotation!;
                return TypedResults.Created(
                    $"/api/api-keys/{id}",
                    new RotatedApiKeyResponse(id, secret, key.Value.Prefix, rotation.OldPrefix, rotation.GraceEndsAt)
                );
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(
        ApiKey? key,
        Caller caller,
        Guid id,
        string secret,
        TimeSpan grace,
        DateTimeOffset now
    )
    {
        if (key is null)
            return ChangeApiKey.NotFound;
        if (!key.IsActive(now))
            return ChangeApiKey.Ended;
        // Whoever is given the secret can act in the name of the principal, and the record would say it was them.
        if (
            key.PrincipalId != caller.PrincipalId
            && !(
                key.PrincipalKind == PrincipalKind.ServiceAccount && caller.Scopes.Contains(Scopes.ServiceAccountsWrite)
            )
        )
            return Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.not-your-api-key",
                "Only the person whose key it is may be given its secret; you can revoke it."
            );
        if (key.Scopes.FirstOrDefault(s => !caller.Scopes.Contains(s)) is { } beyond)
            return Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.scope-beyond-yours",
                $"The key may do '{beyond}', which you may not: you cannot be given its secret. Take the scope from it first, or make another key."
            );
        var graceEndsAt = now + grace;
        return Decision
            .Append(new ApiKeyRotated(ApiKeySecret.PrefixOf(secret), now, graceEndsAt))
            .AlsoWriting(
                ApiKeySecret.RemoveOld(caller.TenantId, id),
                ApiKeySecret.EndAt(caller.TenantId, id, graceEndsAt),
                ApiKeySecret.Store(caller.TenantId, id, secret)
            );
    }
}
