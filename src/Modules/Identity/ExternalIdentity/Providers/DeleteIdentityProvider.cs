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

internal sealed class DeleteIdentityProvider(DocumentStore store, TimeProvider time) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/identity-providers/{id:guid}", HandleAsync)
            .RequireScope(Scopes.IdentityProvidersWrite)
            .WithTags("Identity providers")
            .WithSummary("Delete an identity provider")
            .WithDescription(
                "Nobody logs in with it any more, and its secret is forgotten. Logins that were started with it go on; end them where that is not wanted."
            )
            .ProducesError(404, ProviderRules.NotFoundCode, ProviderRules.NotFoundMessage);

    private async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<IdentityProvider>(
            caller.For(http),
            id,
            provider =>
                provider switch
                {
                    null => ProviderRules.NotFound,
                    { DeletedAt: not null } => Decision.Nothing,
                    _ => Decision
                        .Append(new IdentityProviderDeleted(time.GetUtcNow()))
                        .AlsoWriting(SealedProviderSecrets.Delete(id)),
                },
            cancellationToken
        );
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }
}
