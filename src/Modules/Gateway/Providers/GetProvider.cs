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

namespace Verbatim.Modules.Gateway.Providers;

internal sealed class GetProvider(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/providers/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersRead)
            .WithTags("Providers")
            .WithSummary("Read one provider")
            .WithDescription("Everything about it but the credential.")
            .WithResponseExample(StatusCodes.Status200OK, ProviderResponse.Example)
            .ProducesError(404, ProviderRules.NotFound.Code, ProviderRules.NotFound.Message);

    private async Task<Results<Ok<ProviderResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var provider = await store.LoadAsync<RegisteredProvider>(caller.Access, id, cancellationToken);
        if (provider is null or { Value.DeletedAt: not null })
            return Problems.Create(ProviderRules.NotFound);
        EntityTags.Set(http, provider.Version);
        return TypedResults.Ok(ProviderResponse.From(id, provider.Value));
    }
}
