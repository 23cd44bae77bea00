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

namespace Verbatim.Modules.Identity.Logins;

internal sealed class ListLogins : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/logins", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Logins")
            .WithSummary("List your logins")
            .WithDescription(
                "Where you are, and were, logged in to this organization, newest first. Whoever reads the whole organization may ask for another person's."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<LoginResponse>([LoginResponse.Example], NextCursor: null)
            );

    private static Task<Results<Ok<Page<LoginResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        [Description("The person; yourself, if left out.")] Guid? userId,
        Caller caller,
        DocumentStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var person = caller.Reach == Reach.Own ? caller.PrincipalId : userId ?? caller.PrincipalId;
        return DocumentPages.ListAsync<Login, LoginResponse>(
            store,
            Access.ToOwn(caller.TenantId, person),
            page,
            login => LoginResponse.From(login.Id, login.Value, caller.LoginId, now),
            cancellationToken
        );
    }
}
