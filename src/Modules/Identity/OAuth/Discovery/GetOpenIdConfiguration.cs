using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Discovery;

internal sealed class GetOpenIdConfiguration : IEndpoint
{
    public string Prefix => "/.well-known";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/openid-configuration", Handle)
            .AllowAnyone()
            .WithTags("OAuth")
            .WithSummary("Read the OpenID Connect metadata")
            .WithDescription(
                "Everything that an OpenID Connect client needs to know of this server (OpenID Connect Discovery 1.0)."
            )
            .WithResponseExample(StatusCodes.Status200OK, ProviderMetadata.Example);

    private static Ok<ProviderMetadata> Handle(Issuer issuer, HttpContext http)
    {
        http.Response.Headers.CacheControl = PublicDocument.CacheControl;
        return TypedResults.Ok(ProviderMetadata.From(issuer));
    }
}
