using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Verbatim.Modules.Gateway.Models.Aliases;
using Verbatim.Modules.Gateway.Models.Deployments;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>Changes what calls go by: providers, deployments, model names, recording.</summary>
[Singleton]
internal sealed class CatalogueSettings(DocumentStore store, Catalogue catalogue)
{
    // By the unique indexes of their tables: two who take a name at the same moment are told apart there.
    private static readonly Dictionary<string, HttpError> NamesTaken = new(StringComparer.Ordinal)
    {
        ["provider_name"] = ProviderRules.NameTaken,
        ["deployment_name"] = DeploymentRules.NameTaken,
        ["model_name"] = ModelRules.NameTaken,
    };

    /// <summary>
    /// Decides about a setting. When it is answered this instance goes by the new state already; the others do within a second.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="http">Their request; its answer gets the setting's version as its tag, unless it has no content.</param>
    /// <param name="id">The setting, a new one or not.</param>
    /// <param name="decide">As for <see cref="DocumentStore"/>.</param>
    /// <param name="answer">Tells the new state.</param>
    /// <param name="cancellationToken">Gives up, as long as nothing was stored.</param>
    public async Task<Results<TAnswer, ProblemHttpResult>> DecideAsync<T, TAnswer>(
        Caller caller,
        HttpContext http,
        Guid id,
        Func<T?, Decision> decide,
        Func<T, TAnswer> answer,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
        where TAnswer : IResult
    {
        Outcome<T> outcome;
        try
        {
            outcome = await store.DecideAsync(caller.For(http), id, decide, cancellationToken);
        }
        catch (PostgresException e) when (NamesTaken.TryGetValue(e.ConstraintName ?? "", out var taken))
        {
            return Problems.Create(taken);
        }
        if (outcome.IsSuccess)
            await catalogue.ChangedAsync(cancellationToken);
        return outcome.Match<Results<TAnswer, ProblemHttpResult>>(
            state =>
            {
                var told = answer(state.Value);
                if (told is not NoContent)
                    EntityTags.Set(http, state.Version);
                return told;
            },
            refusal => Problems.From(refusal)
        );
    }
}
