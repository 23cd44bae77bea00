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
            .WithDescription("Everything about it but its secret.")
            .WithResponseExample(StatusCodes.Status200OK, ApiKeyResponse.Example)
            .ProducesError(404, "identity.api-key-not-found", "There is no such API key.");

    private static async Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The key.")] Guid id,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var key = await store.LoadAsync<ApiKey>(caller.Access, id, cancellationToken);
        return key is null
            ? Problems.NotFound("identity.api-key-not-found", "There is no such API key.")
            : TypedResults.Ok(ApiKeyResponse.From(id, key.Value));
    }
}
