using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>What a page sends with its requests.</summary>
/// <param name="Header">The header.</param>
/// <param name="Token">What goes into it; the same for as long as the login lasts.</param>
public sealed record AntiforgeryResponse(string Header, string Token);

internal sealed class GetAntiforgeryToken : IEndpoint
{
    private static readonly HttpError NoCookie = new(
        409,
        "identity.no-cookie",
        "Only a login by cookie needs an antiforgery token; this request has its credential in a header."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/auth/antiforgery", Handle)
            .RequireScope(Scopes.AccountRead)
            .OpenWhilePending()
            .WithTags("Authentication")
            .WithSummary("Get the antiforgery token")
            .WithDescription(
                "For pages that are logged in by cookie: every request of theirs that changes something sends it."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new AntiforgeryResponse(LoginCookies.AntiforgeryHeader, "pW4v0jS1rB7xq2m8c5d3n6f9h0k1l2z4y7t5u8i1o0A")
            )
            .ProducesError(NoCookie.Status, NoCookie.Code, NoCookie.Message);

    private static Results<Ok<AntiforgeryResponse>, ProblemHttpResult> Handle(HttpContext http)
    {
        if (!CredentialHandler.IsByCookie(http.Request))
            return Problems.Create(NoCookie);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(
            new AntiforgeryResponse(
                LoginCookies.AntiforgeryHeader,
                LoginCookies.AntiforgeryTokenOf(LoginCookies.Of(http.Request)!)
            )
        );
    }
}
