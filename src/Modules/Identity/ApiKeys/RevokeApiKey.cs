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

internal sealed class RevokeApiKey : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/api-keys/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ApiKeysWrite)
            .WithTags("API keys")
            .WithSummary("Revoke an API key")
            .WithDescription(
                "The key stops working within a second, on every instance, for good. Revoking it again changes nothing."
            )
            .ProducesError(404, "identity.api-key-not-found", "There is no such API key.");

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The key.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Standings standings,
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
        // This instance need not wait to hear it from the log.
        standings.Forget(id);
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(ApiKey? key, Guid tenantId, Guid id, DateTimeOffset now) =>
        key switch
        {
            null => ChangeApiKey.NotFound,
            { RevokedAt: not null } => Decision.Nothing,
            _ => Decision.Append(new ApiKeyRevoked(now)).AlsoWriting(ApiKeySecret.RemoveAll(tenantId, id)),
        };
}
