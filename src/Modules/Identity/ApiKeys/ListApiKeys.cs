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

internal sealed class ListApiKeys : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/api-keys", HandleAsync)
            .RequireScope(Scopes.ApiKeysRead)
            .WithTags("API keys")
            .WithSummary("List the API keys of your organization")
            .WithDescription("Newest first, revoked ones included. Secrets are never shown again.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ApiKeyResponse>([ApiKeyResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<ApiKeyResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        await DocumentPages.ListAsync<ApiKey, ApiKeyResponse>(
            store,
            caller.Access,
            page,
            document => ApiKeyResponse.From(document.Id, document.Value),
            cancellationToken
        );
}
