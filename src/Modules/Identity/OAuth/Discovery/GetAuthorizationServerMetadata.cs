using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Discovery;

internal sealed class GetAuthorizationServerMetadata : IEndpoint
{
    public string Prefix => "/.well-known";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/oauth-authorization-server", Handle)
            .AllowAnyone()
            .WithTags("OAuth")
            .WithSummary("Read the authorization server metadata")
            .WithDescription("The same as openid-configuration, where OAuth clients look for it (RFC 8414).")
            .WithResponseExample(StatusCodes.Status200OK, ProviderMetadata.Example);

    private static Ok<ProviderMetadata> Handle(Issuer issuer, HttpContext http)
    {
        http.Response.Headers.CacheControl = PublicDocument.CacheControl;
        return TypedResults.Ok(ProviderMetadata.From(issuer));
    }
}
