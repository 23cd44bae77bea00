using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Models.Aliases;
using Verbatim.Modules.Gateway.Models.Deployments;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Gateway.Models.Configured;

/// <summary>
/// At each start: what the configuration says differently from what is on record becomes events, in the organization that runs the
/// installation; what has vanished from it is deleted. Several instances that start at once do it once.
/// </summary>
internal sealed partial class ConfigurationSeed(
    ConfiguredSettings configured,
    LocalModels localModels,
    Catalogue catalogue,
    IInstallation installation,
    Database database,
    DocumentStore documents,
    MasterKey masterKey,
    IdSource ids,
    TimeProvider time,
    ILogger<ConfigurationSeed> logger
) : IStartupStep
{
    // Any fixed number will do, as long as nothing else locks by it.
    private const string Lock = "select pg_advisory_xact_lock(83722848)";

    private readonly ILogger<ConfigurationSeed> _logger = logger;

    // After the organization was made.
    public int Order => 20;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using (var connection = await database.Writes.OpenConnectionAsync(cancellationToken))
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await using (var command = new NpgsqlCommand(Lock, connection))
                await command.ExecuteNonQueryAsync(cancellationToken);
            await ApplyAsync(cancellationToken);
        }
        await catalogue.RefreshAsync(cancellationToken);
    }

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        var tenantId = await installation.GetOrganizationIdAsync(cancellationToken);
        var context = new AppendContext(tenantId, "system:configuration", "");
        var recorded = await RecordedSettings.ReadAsync(documents, tenantId, cancellationToken);

        var providers = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var wanted in configured.Providers)
        {
            if (await ApplyAsync(context, wanted, recorded, cancellationToken) is { } id)
                providers[wanted.Terms.Name] = id;
        }
        var deployments = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var wanted in configured.Deployments)
        {
            if (
                providers.TryGetValue(wanted.Provider, out var providerId)
                && await ApplyAsync(context, wanted, providerId, recorded, cancellationToken) is { } id
            )
                deployments[wanted.Terms.Name] = id;
        }
        foreach (var wanted in configured.Models)
            await ApplyAsync(context, wanted, deployments, recorded, cancellationToken);

        await DeleteVanishedAsync(context, recorded, cancellationToken);
        await localModels.AddAtFirstStartAsync(
            context,
            recorded.Providers.Select(p => p.Value.Terms.Name),
            cancellationToken
        );
    }

    // The provider's id; null when the API has one of the name of an implied one, which is then left alone.
    private async Task<Guid?> ApplyAsync(
        AppendContext context,
        ConfiguredProvider wanted,
        RecordedSettings recorded,
        CancellationToken cancellationToken
    )
    {
        var existing = recorded.Take(recorded.Providers, p => p.Terms.Name, wanted.Terms.Name);
        if (existing is { Value.SetBy: null })
        {
            if (!wanted.IsImplied)
                throw Taken(wanted.SetBy, "provider", wanted.Terms.Name);
            LogLeftAlone(wanted.SetBy, wanted.Terms.Name);
            return null;
        }
        var id = existing?.Id ?? ids.New();
        var events = new List<IEvent>();
        if (existing is null)
            events.Add(new ProviderRegistered(wanted.Terms, wanted.SetBy, time.GetUtcNow()));
        else if (existing.Value.Terms != wanted.Terms)
            events.Add(new ProviderChanged(wanted.Terms));

        var writes = new List<SqlWrite>();
        if (wanted.Credential is { } credential)
        {
            if (existing is null || await CredentialOfAsync(id, cancellationToken) != credential)
            {
                events.Add(new ProviderCredentialReplaced(SealedProviderCredentials.HintOf(credential)));
                writes.Add(SealedProviderCredentials.Store(masterKey, context.TenantId, id, credential));
            }
        }
        else if (existing is { Value.HasCredential: true })
        {
            events.Add(new ProviderCredentialRemoved());
            writes.Add(SealedProviderCredentials.Delete(id));
        }
        await AppendAsync<RegisteredProvider>(context, id, events, writes, cancellationToken);
        return id;
    }

    private async Task<Guid?> ApplyAsync(
        AppendContext context,
        ConfiguredDeployment wanted,
        Guid providerId,
        RecordedSettings recorded,
        CancellationToken cancellationToken
    )
    {
        var terms = wanted.Terms with { ProviderId = providerId };
        var existing = recorded.Take(recorded.Deployments, d => d.Terms.Name, terms.Name);
        if (existing is { Value.SetBy: null })
        {
            if (!wanted.IsImplied)
                throw Taken(wanted.SetBy, "deployment", terms.Name);
            LogLeftAlone(wanted.SetBy, terms.Name);
            return null;
        }
        var id = existing?.Id ?? ids.New();
        IReadOnlyList<IEvent> events =
            existing is null ? [new DeploymentCreated(terms, wanted.SetBy, time.GetUtcNow())]
            : Content.AreSame(existing.Value.Terms, terms) ? []
            : [new DeploymentChanged(terms)];
        await AppendAsync<RegisteredDeployment>(context, id, events, [], cancellationToken);
        return id;
    }

    private async Task ApplyAsync(
        AppendContext context,
        ConfiguredModel wanted,
        Dictionary<string, Guid> deployments,
        RecordedSettings recorded,
        CancellationToken cancellationToken
    )
    {
        var terms = wanted.Terms with
        {
            Tiers =
            [
                .. wanted.Tiers.Select(tier => new ModelTier([
                    .. tier.Where(t => deployments.ContainsKey(t.Deployment))
                        .Select(t => new TierDeployment(deployments[t.Deployment], t.Weight)),
                ])),
            ],
        };
        var existing = recorded.Take(recorded.Models, m => m.Terms.Name, terms.Name);
        if (existing is { Value.SetBy: null })
            throw Taken(wanted.SetBy, "model", terms.Name);
        IReadOnlyList<IEvent> events =
            existing is null ? [new ModelCreated(terms, wanted.SetBy, time.GetUtcNow())]
            : Content.AreSame(existing.Value.Terms, terms) ? []
            : [new ModelChanged(terms)];
        await AppendAsync<ModelAlias>(context, existing?.Id ?? ids.New(), events, [], cancellationToken);
    }

    // What refers goes before what it refers to.
    private async Task DeleteVanishedAsync(
        AppendContext context,
        RecordedSettings recorded,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        foreach (var model in recorded.Models.Where(m => m.Value.SetBy is not null && !recorded.IsTaken(m.Id)))
            await AppendAsync<ModelAlias>(context, model.Id, [new ModelDeleted(now)], [], cancellationToken);
        foreach (var gone in recorded.Deployments.Where(d => d.Value.SetBy is not null && !recorded.IsTaken(d.Id)))
            await AppendAsync<RegisteredDeployment>(
                context,
                gone.Id,
                [new DeploymentDeleted(now)],
                [],
                cancellationToken
            );
        foreach (var gone in recorded.Providers.Where(p => p.Value.SetBy is not null && !recorded.IsTaken(p.Id)))
            await AppendAsync<RegisteredProvider>(
                context,
                gone.Id,
                [new ProviderDeleted(now)],
                [SealedProviderCredentials.Delete(gone.Id)],
                cancellationToken
            );
    }

    private async Task AppendAsync<T>(
        AppendContext context,
        Guid id,
        IReadOnlyList<IEvent> events,
        List<SqlWrite> writes,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        if (events.Count == 0)
            return;
        var decision = Decision.Append(events);
        await documents.DecideAsync<T>(
            context,
            id,
            _ => writes.Count == 0 ? decision : decision.AlsoWriting(writes),
            cancellationToken
        );
    }

    // One that cannot be opened any more is replaced by the one that is given.
    private async Task<string?> CredentialOfAsync(Guid providerId, CancellationToken cancellationToken)
    {
        try
        {
            return await SealedProviderCredentials.ReadAsync(database, masterKey, providerId, cancellationToken);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static SettingException Taken(string setting, string what, string name) =>
        new(
            $"{setting} is to set a {what} that was made by the API under the same name; rename or delete '{name}' there, or here."
        );

    [LoggerMessage(LogLevel.Warning, "{Setting} is not used: '{Name}' was made by the API")]
    private partial void LogLeftAlone(string setting, string name);
}

/// <summary>What is on record of an organization when the configuration is compared with it.</summary>
internal sealed class RecordedSettings
{
    private readonly HashSet<Guid> _taken = [];

    public required IReadOnlyList<TenantDocument<RegisteredProvider>> Providers { get; init; }

    public required IReadOnlyList<TenantDocument<RegisteredDeployment>> Deployments { get; init; }

    public required IReadOnlyList<TenantDocument<ModelAlias>> Models { get; init; }

    public static async Task<RecordedSettings> ReadAsync(
        DocumentStore documents,
        Guid tenantId,
        CancellationToken cancellationToken
    ) =>
        new()
        {
            Providers = await documents.ListEverywhereAsync<RegisteredProvider>(Present(tenantId), cancellationToken),
            Deployments = await documents.ListEverywhereAsync<RegisteredDeployment>(
                Present(tenantId),
                cancellationToken
            ),
            Models = await documents.ListEverywhereAsync<ModelAlias>(Present(tenantId), cancellationToken),
        };

    /// <summary>The one of this name, which is then known to be wanted; null when there is none.</summary>
    public TenantDocument<T>? Take<T>(IReadOnlyList<TenantDocument<T>> among, Func<T, string> nameOf, string name)
        where T : class
    {
        var found = among.FirstOrDefault(d => nameOf(d.Value) == name);
        if (found is not null)
            _taken.Add(found.Id);
        return found;
    }

    /// <summary>Whether the configuration wants it.</summary>
    public bool IsTaken(Guid id) => _taken.Contains(id);

    private static DocumentFilter Present(Guid tenantId) =>
        new DocumentFilter().Where($"(data ->> 'deletedAt') is null").Where($"tenant_id = {tenantId}");
}
