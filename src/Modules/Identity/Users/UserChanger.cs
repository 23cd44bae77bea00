using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>Changes what a person is in an organization, which always keeps an administrator who can act.</summary>
[Singleton]
internal sealed class UserChanger(DocumentStore store, Standings standings)
{
    public static readonly Refusal LastAdministrator = new(
        RefusalKind.Conflict,
        "identity.last-administrator",
        "This is the last administrator who can act: make another one first."
    );

    private const string NoneLeft = "VB100";

    /// <summary>Carries out a decision about a person, and answers with what became of it.</summary>
    public async Task<Results<Ok<UserResponse>, ProblemHttpResult>> ChangeAsync(
        Caller caller,
        HttpContext http,
        Guid userId,
        Func<User?, Decision> decide,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var outcome = await store.DecideAsync<User>(
                caller.For(http),
                userId,
                user => user is null or { RemovedAt: not null } ? User.NotFound : decide(user),
                cancellationToken
            );
            return outcome.Match<Results<Ok<UserResponse>, ProblemHttpResult>>(
                user => UserResponse.Show(userId, user, http),
                refusal => Problems.From(refusal)
            );
        }
        catch (PostgresException e) when (e.SqlState == NoneLeft)
        {
            return Problems.From(LastAdministrator);
        }
        finally
        {
            // This instance need not wait to hear it from the log.
            standings.Forget(userId);
        }
    }

    /// <summary>The same events; where they take away an administrator, the transaction fails if it was the last.</summary>
    public static Decision KeepingAnAdministrator(User before, Guid tenantId, params IReadOnlyList<IEvent> events) =>
        before.IsActiveAdministrator
            ? Decision.Append(events).AlsoWriting(new SqlWrite("select identity.keep_an_administrator($1)", tenantId))
            : Decision.Append(events);
}
