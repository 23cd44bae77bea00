using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

internal sealed class GetStyle : IEndpoint
{
    public string Prefix => "/assets";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/{name}", Handle).AllowAnyone().ExcludeFromDescription();

    private static Results<FileContentHttpResult, NotFound> Handle(string name, HttpContext http)
    {
        if (Style.Find($"/assets/{name}") is not { } file)
            return TypedResults.NotFound();
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return TypedResults.Bytes(file.Content, file.Type);
    }
}
