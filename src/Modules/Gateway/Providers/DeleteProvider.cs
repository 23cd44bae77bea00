using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Providers;

internal sealed class DeleteProvider(
    CatalogueSettings settings,
    Models.Deployments.DeploymentRules deployments,
    TimeProvider time
) : IEndpoint
{
    private const string InUse = "gateway.provider-in-use";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/providers/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Providers")
            .WithSummary("Delete a provider")
            .WithDescription("Its credential is forgotten. One that has deployments cannot be deleted.")
            .ProducesError(404, ProviderRules.NotFound.Code, ProviderRules.NotFound.Message)
            .ProducesError(409, InUse, "It has deployments: 'mini', 'large'. Delete these first.")
            .ProducesError(
                409,
                "gateway.set-by-configuration",
                ProviderRules.SetByConfiguration("Gateway:Providers:openai").Message
            );

    private async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The provider.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var names = await deployments.NamesAtAsync(caller.TenantId, id, cancellationToken);
        return await settings.DecideAsync<RegisteredProvider, NoContent>(
            caller,
            http,
            id,
            provider => Decide(provider, id, names, time.GetUtcNow()),
            _ => TypedResults.NoContent(),
            cancellationToken
        );
    }

    internal static Decision Decide(
        RegisteredProvider? provider,
        Guid id,
        IReadOnlyList<string> deployments,
        DateTimeOffset now
    ) =>
        provider switch
        {
            null or { DeletedAt: not null } => ProviderRules.Refuse(ProviderRules.NotFound),
            { SetBy: { } setting } => ProviderRules.Refuse(ProviderRules.SetByConfiguration(setting)),
            _ when deployments.Count > 0 => Decision.Refuse(
                RefusalKind.Conflict,
                InUse,
                $"It has deployments: {string.Join(", ", deployments.Select(n => $"'{n}'"))}. Delete these first."
            ),
            _ => Decision.Append(new ProviderDeleted(now)).AlsoWriting(SealedProviderCredentials.Delete(id)),
        };
}
