using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>The description, for programs.</summary>
internal sealed class GetApiDescription(ApiDescription description) : IEndpoint
{
    public string Prefix => "/openapi";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet($"/{ApiDescription.Name}.json", HandleAsync).AllowAnyone().ExcludeFromDescription();

    private async Task<FileContentHttpResult> HandleAsync(CancellationToken cancellationToken)
    {
        var file = await description.ReadAsync(cancellationToken);
        return TypedResults.Bytes(
            file.Json,
            "application/json; charset=utf-8",
            entityTag: new EntityTagHeaderValue($"\"{file.Tag}\"")
        );
    }
}
