using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>The form of the consent page. It brings the whole request along, which is judged from the beginning.</summary>
internal sealed class AnswerConsent(AuthorizationFlow flow) : IEndpoint
{
    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost(AuthorizationPages.ConsentPath, HandleAsync).AllowAnyone().ExcludeFromDescription();

    private async Task<IResult> HandleAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (form, _) = await OAuthParameters.ReadFormAsync(http, cancellationToken);
        if (form?[AuthorizationPages.RequestField] is not { } query)
            return AuthorizationPages.BadRequest();
        var answer = form[AuthorizationPages.AnswerField] switch
        {
            AuthorizationPages.Allow => AuthorizationFlow.Answer.Allowed,
            AuthorizationPages.Deny => AuthorizationFlow.Answer.Denied,
            _ => AuthorizationFlow.Answer.NotAsked,
        };
        // The cookie counts only with the page's own antiforgery token: without it there is nobody logged in, and the form is shown again.
        return await flow.ContinueAsync(
            http,
            OAuthParameters.Of(QueryHelpers.ParseQuery(query)),
            answer,
            cancellationToken
        );
    }
}
