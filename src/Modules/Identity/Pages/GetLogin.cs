using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

internal sealed class GetLogin(FormTokens tokens) : IEndpoint
{
    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(LoginPage.Path, Handle).AllowAnyone().ExcludeFromDescription();

    private PageResult Handle(HttpContext http) =>
        LoginPage.Render(tokens.Issue(http), LocalPath.OrRoot(http.Request.Query["returnTo"]));
}
