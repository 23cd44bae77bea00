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

/// <summary>What to change of an API key; what is left out stays as it is.</summary>
public sealed record ChangeApiKeyRequest(
    [property: StringLength(100, MinimumLength = 1)] [property: Description("What it is for.")] string? Name = null,
    [property: Description("All that it may do from now on; what is added is at most what you may.")]
        IReadOnlyList<string>? Scopes = null,
    [property: Description("When it ends by itself.")] DateTimeOffset? ExpiresAt = null,
    [property: Description("True: it does not end by itself any more. Not together with 'expiresAt'.")]
        bool NeverExpires = false,
    [property: AddressRanges]
    [property: Description("The only networks or addresses that it works from; an empty list for everywhere.")]
        IReadOnlyList<string>? AllowedAddresses = null
);

internal sealed class ChangeApiKey : IEndpoint
{
    internal static readonly Decision NotFound = Decision.Refuse(
        RefusalKind.NotFound,
        "identity.api-key-not-found",
        "There is no such API key."
    );

    internal static readonly Decision Ended = Decision.Refuse(
        RefusalKind.Conflict,
        "identity.api-key-ended",
        "The key was revoked or has ended; make another one."
    );

    internal static readonly Decision ExpiryInThePast = Decision.Refuse(
        RefusalKind.Invalid,
        "identity.expiry-in-the-past",
        "'expiresAt' must lie in the future."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/api-keys/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ApiKeysWrite)
            .WithTags("API keys")
            .WithSummary("Change an API key")
            .WithDescription(
                "Changes its name, its scopes, its end or the addresses that it works from; within a second on every instance. The secret stays."
            )
            .WithRequestExample(new ChangeApiKeyRequest(AllowedAddresses: ["10.0.0.0/8"]))
            .WithResponseExample(StatusCodes.Status200OK, ApiKeyResponse.Example)
            .ProducesError(
                403,
                "identity.scope-beyond-yours",
                "You cannot grant 'audit:read': you do not have it yourself."
            )
            .ProducesError(404, "identity.api-key-not-found", "There is no such API key.")
            .ProducesError(409, "identity.api-key-ended", "The key was revoked or has ended; make another one.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.")
            .ProducesError(422, "identity.no-scope", "Name at least one scope, or leave 'scopes' out.")
            .ProducesError(422, "identity.unknown-scope", "There is no scope 'everything'. The scopes are …")
            .ProducesError(422, "identity.expiry-in-the-past", "'expiresAt' must lie in the future.")
            .ProducesError(422, "identity.expiry-twice", "Give 'expiresAt' or 'neverExpires', not both.");

    private static async Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The key.")] Guid id,
        ChangeApiKeyRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Standings standings,
        ApiKeyUses uses,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<ApiKey>(
            caller.For(http),
            id,
            key => Decide(key, caller, request, time.GetUtcNow()),
            cancellationToken
        );
        standings.Forget(id);
        return await GetApiKey.AnswerAsync(outcome, id, caller, http, uses, cancellationToken);
    }

    internal static Decision Decide(ApiKey? key, Caller caller, ChangeApiKeyRequest request, DateTimeOffset now)
    {
        if (key is null)
            return NotFound;
        if (!key.IsActive(now))
            return Ended;
        if (request is { ExpiresAt: not null, NeverExpires: true })
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.expiry-twice",
                "Give 'expiresAt' or 'neverExpires', not both."
            );
        if (request.ExpiresAt <= now)
            return ExpiryInThePast;
        var scopes = request.Scopes is null ? key.Scopes : ScopeGrant.Normalize(request.Scopes);
        if (ScopeGrant.Refuse(caller, scopes, key.Scopes) is { } refusal)
            return refusal;

        var changed = new ApiKeyChanged(
            request.Name ?? key.Name,
            scopes,
            request.NeverExpires ? null : request.ExpiresAt?.ToUniversalTime() ?? key.ExpiresAt,
            request.AllowedAddresses ?? key.AllowedAddresses,
            key.PrincipalId,
            now
        );
        return
            changed.Name == key.Name
            && changed.ExpiresAt == key.ExpiresAt
            && changed.Scopes.SequenceEqual(key.Scopes, StringComparer.Ordinal)
            && changed.AllowedAddresses.SequenceEqual(key.AllowedAddresses, StringComparer.Ordinal)
            ? Decision.Nothing
            : Decision.Append(changed);
    }
}
