using System.ComponentModel;
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

internal sealed class GetApiKey : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/api-keys/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ApiKeysRead)
            .WithTags("API keys")
            .WithSummary("Read one API key")
            .WithDescription(
                "Everything about it but its secret. A role that does not see the organization sees its own keys."
            )
            .WithResponseExample(StatusCodes.Status200OK, ApiKeyResponse.Example)
            .ProducesError(404, "identity.api-key-not-found", "There is no such API key.");

    private static async Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The key.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        ApiKeyUses uses,
        CancellationToken cancellationToken
    )
    {
        var key = await store.LoadAsync<ApiKey>(caller.Access, id, cancellationToken);
        return key is null
            ? Problems.NotFound("identity.api-key-not-found", "There is no such API key.")
            : await ShowAsync(key, id, caller, http, uses, cancellationToken);
    }

    /// <summary>The answer of a route that changes a key and shows it.</summary>
    internal static async Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>> AnswerAsync(
        Outcome<ApiKey> outcome,
        Guid id,
        Caller caller,
        HttpContext http,
        ApiKeyUses uses,
        CancellationToken cancellationToken
    ) =>
        await outcome.Match<Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>>>(
            async key => await ShowAsync(key, id, caller, http, uses, cancellationToken),
            refusal => Task.FromResult<Results<Ok<ApiKeyResponse>, ProblemHttpResult>>(Problems.From(refusal))
        );

    private static async Task<Ok<ApiKeyResponse>> ShowAsync(
        Versioned<ApiKey> key,
        Guid id,
        Caller caller,
        HttpContext http,
        ApiKeyUses uses,
        CancellationToken cancellationToken
    )
    {
        var times = await uses.ReadAsync(caller.TenantId, [id], cancellationToken);
        EntityTags.Set(http, key.Version);
        return TypedResults.Ok(
            ApiKeyResponse.From(id, key.Value, times.TryGetValue(id, out var lastUsedAt) ? lastUsedAt : null)
        );
    }
}
