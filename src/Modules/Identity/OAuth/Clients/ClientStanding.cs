using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>Whether a client gets tokens, and those that it has work: what suspending, reactivating and deleting one share.</summary>
[Singleton]
internal sealed class ClientStanding(DocumentStore store, OAuthClients clients, Standings standings)
{
    /// <summary>Carries the decision out, and has this instance follow it at once.</summary>
    public async Task<Results<NoContent, ProblemHttpResult>> ChangeAsync(
        Caller caller,
        HttpContext http,
        Guid id,
        Func<OAuthClient?, Decision> decide,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<OAuthClient>(caller.For(http), id, decide, cancellationToken);
        // This instance need not wait to hear it from the log.
        clients.Forget(id);
        standings.Forget(id);
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            client =>
            {
                EntityTags.Set(http, client.Version);
                return TypedResults.NoContent();
            },
            refusal => Problems.From(refusal)
        );
    }
}
