using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Recording;

internal sealed class GetRecording(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/recording", HandleAsync)
            .RequireScope(Scopes.ProvidersRead)
            .WithTags("Recording")
            .WithSummary("Read how much of calls is recorded")
            .WithDescription("Every call is on record; this is about the bodies of request and answer.")
            .WithResponseExample(StatusCodes.Status200OK, RecordingResponse.Example);

    private async Task<Ok<RecordingResponse>> HandleAsync(
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var policy = await store.LoadAsync<RecordingPolicy>(
            caller.Access,
            RecordingPolicy.IdOf(caller.TenantId),
            cancellationToken
        );
        if (policy is not null)
            EntityTags.Set(http, policy.Version);
        return TypedResults.Ok(RecordingResponse.From(policy?.Value));
    }
}
