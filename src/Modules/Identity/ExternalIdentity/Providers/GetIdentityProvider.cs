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

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

internal sealed class GetIdentityProvider(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/identity-providers/{id:guid}", HandleAsync)
            .RequireScope(Scopes.IdentityProvidersRead)
            .WithTags("Identity providers")
            .WithSummary("Read one identity provider")
            .WithDescription("Everything about it but the secret.")
            .WithResponseExample(StatusCodes.Status200OK, IdentityProviderResponse.Example)
            .ProducesError(404, ProviderRules.NotFoundCode, ProviderRules.NotFoundMessage);

    private async Task<Results<Ok<IdentityProviderResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var provider = await store.LoadAsync<IdentityProvider>(caller.Access, id, cancellationToken);
        if (provider is null)
            return Problems.NotFound(ProviderRules.NotFoundCode, ProviderRules.NotFoundMessage);
        EntityTags.Set(http, provider.Version);
        return TypedResults.Ok(IdentityProviderResponse.From(id, provider.Value));
    }
}
