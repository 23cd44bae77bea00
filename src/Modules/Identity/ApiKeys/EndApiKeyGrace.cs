using System.ComponentModel;
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

internal sealed class EndApiKeyGrace : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/api-keys/{id:guid}/rotations/end", HandleAsync)
            .RequireScope(Scopes.ApiKeysWrite)
            .WithTags("API keys")
            .WithSummary("End the grace of a rotation")
            .WithDescription(
                "The secret from before the last rotation stops working within a second, on every instance. Without a grace that lasts, nothing changes."
            )
            .WithResponseExample(StatusCodes.Status200OK, ApiKeyResponse.Example)
            .ProducesError(404, "identity.api-key-not-found", "There is no such API key.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The key.")] Guid id,
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
            key => Decide(key, caller.TenantId, id, time.GetUtcNow()),
            cancellationToken
        );
        standings.Forget(id);
        return await GetApiKey.AnswerAsync(outcome, id, caller, http, uses, cancellationToken);
    }

    internal static Decision Decide(ApiKey? key, Guid tenantId, Guid id, DateTimeOffset now) =>
        key switch
        {
            null => ChangeApiKey.NotFound,
            { RevokedAt: null } when key.IsInGrace(now) => Decision
                .Append(new ApiKeyGraceEnded(now))
                .AlsoWriting(ApiKeySecret.RemoveOld(tenantId, id)),
            _ => Decision.Nothing,
        };
}
