using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Gateway.Models.Deployments;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Models.Configured;

/// <summary>
/// Looks for an Ollama on this machine, at the first start alone. What it finds is managed by the API from then on, as if an administrator had
/// registered it.
/// </summary>
[Singleton]
internal sealed partial class LocalModels(
    ConfiguredSettings configured,
    ProviderProbe probe,
    Database database,
    DocumentStore documents,
    IdSource ids,
    TimeProvider time,
    ILogger<LocalModels> logger
)
{
    private const string Name = "ollama";
    private const int MaxModels = 100;

    // It is on this machine, or not there.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly ILogger<LocalModels> _logger = logger;

    /// <param name="context">Who records.</param>
    /// <param name="taken">Names of providers that there are.</param>
    /// <param name="cancellationToken">Ends the looking.</param>
    public async Task AddAtFirstStartAsync(
        AppendContext context,
        IEnumerable<string> taken,
        CancellationToken cancellationToken
    )
    {
        if (!await IsFirstAsync(cancellationToken) || configured.Options.OllamaUrl.Length == 0)
            return;
        if (taken.Contains(Name, StringComparer.Ordinal) || configured.Providers.Any(p => p.Terms.Name == Name))
            return;
        var terms = new ProviderTerms(
            Name,
            ProviderKinds.NameOf(ProviderKind.Ollama),
            configured.Options.OllamaUrl.TrimEnd('/') + "/v1",
            ApiVersion: null,
            Patience
        );
        var found = await probe.TryAsync(terms, credential: null, model: null, Patience, cancellationToken);
        if (!found.IsValid)
            return;

        var now = time.GetUtcNow();
        var providerId = ids.New();
        terms = terms with { ConnectTimeout = ProviderSettings.DefaultConnectTimeout };
        await documents.CreateAsync(
            context,
            [
                documents.New<RegisteredProvider>(providerId, new ProviderRegistered(terms, SetBy: null, now)),
                .. found
                    .Models.Take(MaxModels)
                    .Select(model =>
                        documents.New<RegisteredDeployment>(
                            ids.New(),
                            new DeploymentCreated(DeploymentOf(model, providerId), SetBy: null, now)
                        )
                    ),
            ],
            [],
            cancellationToken
        );
        LogFound(terms.BaseUrl, found.Models.Count);
    }

    private static DeploymentTerms DeploymentOf(string model, Guid providerId) =>
        DeploymentTerms.Default($"{Name} {model}", providerId, model) with
        {
            Visibility = Visibility.Everybody,
        };

    private async Task<bool> IsFirstAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Lookups.CreateCommand(
            "insert into gateway.first_look (done, at) values (true, $1) on conflict do nothing"
        );
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    [LoggerMessage(
        LogLevel.Information,
        "Found a local Ollama at {Address} with {Count} models; they can be asked by their names"
    )]
    private partial void LogFound(string address, int count);
}
