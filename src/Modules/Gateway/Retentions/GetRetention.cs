using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Retentions;

/// <summary>For how long what is recorded is shown.</summary>
/// <param name="Inferences">Model calls.</param>
public sealed record RetentionResponse(InferenceRetention Inferences)
{
    internal static RetentionResponse Of(Retention retention) =>
        new(new InferenceRetention(retention.FullDays, retention.MetadataDays));
}

internal sealed class GetRetention : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/retention", HandleAsync)
            .RequireScope(Scopes.OrganizationsRead)
            .WithTags("Retention")
            .WithSummary("Read for how long calls are shown")
            .WithDescription("The organization's settings; null stands for ever.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new RetentionResponse(new InferenceRetention(FullDays: 30, MetadataDays: 400))
            );

    private static async Task<Ok<RetentionResponse>> HandleAsync(
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var id = Retention.IdOf(caller.TenantId);
        if (await store.LoadAsync<Retention>(caller.Access, id, cancellationToken) is not { } retention)
            return TypedResults.Ok(RetentionResponse.Of(Retention.ForEver));
        EntityTags.Set(http, retention.Version);
        return TypedResults.Ok(RetentionResponse.Of(retention.Value));
    }
}
