using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Lockouts;

internal sealed class UnlockUser : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/users/{id:guid}/unlock", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Unlock an account")
            .WithDescription(
                "Forgets a person's failed attempts to log in, so that the next is looked at without delay. Changes nothing about limits of their address."
            )
            .ProducesError(404, "identity.user-not-found", "There is no such account.");

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        EventStore events,
        PasswordStore passwords,
        IdSource ids,
        CancellationToken cancellationToken
    )
    {
        if (await store.LoadAsync<User>(caller.Access, id, cancellationToken) is not { } user)
            return Problems.NotFound("identity.user-not-found", "There is no such account.");
        var key = await passwords.HashEmailAsync(user.Value.Email, cancellationToken);
        await events.AppendAsync(
            caller.For(http),
            [new StreamEvents("lockout", ids.New(), 0, [new AccountUnlocked(id)])],
            [LoginAttempts.Forget(key)],
            cancellationToken
        );
        return TypedResults.NoContent();
    }
}
