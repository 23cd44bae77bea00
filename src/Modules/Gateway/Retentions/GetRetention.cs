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
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Gateway.Retentions;

/// <summary>For how long what is recorded is shown.</summary>
/// <param name="Inferences">Model calls.</param>
/// <param name="ErasedThrough">The last day (UTC) whose bodies nobody can read any more, since its key was destroyed; null for none.</param>
public sealed record RetentionResponse(
    InferenceRetention Inferences,
    [property: Description(
        "The last day (UTC) whose bodies nobody can read any more: its key was destroyed. Null for none."
    )]
        DateOnly? ErasedThrough
)
{
    internal static RetentionResponse Of(Retention retention, DateOnly? erasedThrough) =>
        new(new InferenceRetention(retention.FullDays, retention.MetadataDays), erasedThrough);
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
                new RetentionResponse(
                    new InferenceRetention(FullDays: 30, MetadataDays: 400),
                    new DateOnly(2026, 10, 21)
                )
            );

    private static async Task<Ok<RetentionResponse>> HandleAsync(
        Caller caller,
        HttpContext http,
        DocumentStore store,
        PersonalDays days,
        CancellationToken cancellationToken
    )
    {
        var id = Retention.IdOf(caller.TenantId);
        var retention = await store.LoadAsync<Retention>(caller.Access, id, cancellationToken);
        if (retention is not null)
            EntityTags.Set(http, retention.Version);
        var erasedThrough = await days.FindLastErasedAsync(caller.TenantId, cancellationToken);
        return TypedResults.Ok(RetentionResponse.Of(retention?.Value ?? Retention.ForEver, erasedThrough));
    }
}
