using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Routing;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>Where a client sends a person's browser (RFC 6749 §3.1). Pages and redirects, so not part of the API's description.</summary>
internal sealed class Authorize(AuthorizationFlow flow) : IEndpoint
{
    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(AuthorizationFlow.AuthorizePath, HandleGetAsync).AllowAnyone().ExcludeFromDescription();
        routes.MapPost(AuthorizationFlow.AuthorizePath, HandlePostAsync).AllowAnyone().ExcludeFromDescription();
    }

    private Task<IResult> HandleGetAsync(HttpContext http, CancellationToken cancellationToken) =>
        flow.ContinueAsync(
            http,
            OAuthParameters.Of(http.Request.Query),
            AuthorizationFlow.Answer.NotAsked,
            cancellationToken
        );

    // OpenID Connect Core 1.0 §3.1.2.1 wants POST too. The form comes from another site, without our cookie, so the browser is sent on to
    // the same request as GET, with which it brings the cookie.
    private static async Task<IResult> HandlePostAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (form, _) = await OAuthParameters.ReadFormAsync(http, cancellationToken);
        if (form is null)
            return AuthorizationPages.BadRequest();
        var query = new QueryBuilder();
        foreach (var name in AuthorizationDemand.ParameterNames)
        {
            if (form[name] is { } value)
                query.Add(name, value);
        }
        return AuthorizationResponse.SeeOther(http, AuthorizationFlow.AuthorizePath + query.ToQueryString());
    }
}
