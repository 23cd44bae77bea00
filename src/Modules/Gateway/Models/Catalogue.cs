using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models.Aliases;
using Verbatim.Modules.Gateway.Models.Configured;
using Verbatim.Modules.Gateway.Models.Deployments;
using Verbatim.Modules.Gateway.Models.Recording;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>
/// Where the calls of each caller go, by the names of models: the settings as this instance knows them. A change, by whichever instance, is
/// known within a second; while the database is away the last known settings hold.
/// </summary>
[Singleton]
internal sealed partial class Catalogue : BackgroundService, ILogObserver
{
    private const string KeyActor = "api-key:";
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly GatewayOptions _options;
    private readonly IInstallation _installation;
    private readonly DocumentStore _documents;
    private readonly Database _database;
    private readonly MasterKey _masterKey;
    private readonly TimeProvider _time;
    private readonly ILogger<Catalogue> _logger;
    private readonly LiveDeployments _live;
    private readonly SemaphoreSlim _loading = new(1);
    private readonly Channel<bool> _stale = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private volatile CatalogueSnapshot _snapshot;
    private long _wanted;
    private long _loaded;

    public Catalogue(
        ConfiguredSettings configured,
        IInstallation installation,
        DocumentStore documents,
        EventCatalog events,
        Database database,
        MasterKey masterKey,
        TimeProvider time,
        ILogger<Catalogue> logger
    )
    {
        _options = configured.Options;
        _installation = installation;
        _documents = documents;
        _database = database;
        _masterKey = masterKey;
        _time = time;
        _logger = logger;
        _live = new LiveDeployments(_options.AllowPrivateAddresses, time);
        EventTypes =
        [
            .. events
                .Shapes.Where(s => s.IsNewest && s.ClrType.IsAssignableTo(typeof(ISettingChange)))
                .Select(s => s.ClrType),
        ];
        _snapshot = new CatalogueSnapshot(
            new CatalogueEntries(Guid.Empty, [], [], new Dictionary<Guid, RecordingPolicy>(), _live.BuiltIn),
            _options.MaxAttempts,
            time
        );
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<Type> EventTypes { get; }

    /// <summary>The largest body of a request.</summary>
    public int MaxRequestBytes => _options.MaxRequestBytes;

    /// <summary>The largest file.</summary>
    public long MaxFileBytes => _options.MaxFileBytes;

    /// <summary>A call whose client has gone is taken to its end, instead of ending it.</summary>
    public bool DrainsAbandoned => _options.DrainAbandoned;

    /// <summary>What a caller can ask.</summary>
    public CatalogueView ViewOf(Caller caller) => _snapshot.ViewOf(caller.TenantId, caller.ProjectId);

    /// <summary>Where a caller's calls of a model go; null when there is no such model for them.</summary>
    public Route? Find(InferenceCaller caller, string model) =>
        _snapshot.ViewOf(caller.TenantId, caller.ProjectId).Find(model);

    /// <summary>The same for who only reads.</summary>
    public Route? Find(Caller caller, string model) => ViewOf(caller).Find(model);

    /// <summary>How much of a caller's calls is kept.</summary>
    public RecordingLevel RecordingOf(InferenceCaller caller)
    {
        Guid? key =
            caller.Context.Actor.StartsWith(KeyActor, StringComparison.Ordinal)
            && Guid.TryParseExact(caller.Context.Actor.AsSpan(KeyActor.Length), "D", out var id)
                ? id
                : null;
        return _snapshot.RecordingOf(caller.TenantId, caller.ProjectId, key) ?? _options.Recording;
    }

    /// <summary>
    /// A setting was changed by this instance: the next call sees it. The change is on record already, so whatever keeps it from being read
    /// now is no reason to tell the caller that it failed; it is read as soon as that is possible.
    /// </summary>
    public async Task ChangedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RefreshAsync(cancellationToken);
        }
        catch (Exception e)
        {
            LogFailed(e);
            Reset();
        }
    }

    /// <summary>Reads the settings; returns when what was recorded before the call is in effect.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var wanted = Interlocked.Increment(ref _wanted);
        await _loading.WaitAsync(cancellationToken);
        try
        {
            // A reading that began after the call serves it, whoever asked for that.
            if (_loaded >= wanted)
                return;
            var covered = Interlocked.Read(ref _wanted);
            _snapshot = new CatalogueSnapshot(await ReadAsync(cancellationToken), _options.MaxAttempts, _time);
            _live.Sweep();
            _loaded = covered;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <inheritdoc/>
    public void Observe(RecordedEvent recorded, IEvent @event) => Reset();

    /// <inheritdoc/>
    public void Reset() => _stale.Writer.TryWrite(true);

    public override void Dispose()
    {
        base.Dispose();
        _live.Dispose();
        _loading.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFailing = false;
        try
        {
            while (await _stale.Reader.WaitToReadAsync(stoppingToken))
            {
                _stale.Reader.TryRead(out _);
                try
                {
                    await RefreshAsync(stoppingToken);
                    isFailing = false;
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    if (!isFailing)
                        LogFailed(e);
                    isFailing = true;
                    await Task.Delay(RetryInterval, _time, stoppingToken);
                    Reset();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    // What refers is read before what it refers to, so that whatever is referred to is there, or was deleted since.
    private async Task<CatalogueEntries> ReadAsync(CancellationToken cancellationToken)
    {
        var policies = await _documents.ListEverywhereAsync<RecordingPolicy>(filter: null, cancellationToken);
        var models = await _documents.ListEverywhereAsync<ModelAlias>(Present(), cancellationToken);
        var deployments = await _documents.ListEverywhereAsync<RegisteredDeployment>(Present(), cancellationToken);
        var providers = await _documents.ListEverywhereAsync<RegisteredProvider>(Present(), cancellationToken);
        var credentials = await SealedProviderCredentials.ReadAllAsync(_database, cancellationToken);

        _live.Begin();
        foreach (var provider in providers)
        {
            // A version that is newer may know more kinds. One of those must not keep all other settings from being read.
            if (ProviderKinds.Find(provider.Value.Terms.Kind) is null)
                LogUnknownKind(provider.Id, provider.Value.Terms.Kind);
            else if (TryOpen(provider, credentials, out var credential))
                _live.Add(provider.TenantId, ProviderSettings.Of(provider.Id, provider.Value.Terms), credential);
        }
        var placed = new List<PlacedDeployment>(deployments.Count);
        foreach (var deployment in deployments)
        {
            var terms = deployment.Value.Terms;
            if (_live.Add(deployment.TenantId, deployment.Version, terms.ToSettings(deployment.Id)) is { } live)
                placed.Add(
                    new PlacedDeployment(
                        deployment.TenantId,
                        live,
                        terms.Visibility,
                        terms.IsEnabled,
                        deployment.Value.CreatedAt
                    )
                );
            else
                LogWithoutProvider(deployment.Id, terms.ProviderId);
        }
        _live.End();
        return new CatalogueEntries(
            await _installation.GetOrganizationIdAsync(cancellationToken),
            placed,
            [.. models.Select(static m => new PlacedModel(m.TenantId, m.Value.Terms, m.Value.CreatedAt))],
            policies.ToDictionary(static p => p.TenantId, static p => p.Value),
            _live.BuiltIn
        );
    }

    private static DocumentFilter Present() => new DocumentFilter().Where($"(data ->> 'deletedAt') is null");

    // A provider whose credential cannot be opened is left out: nothing is sent without the credential that it is meant to have.
    private bool TryOpen(
        TenantDocument<RegisteredProvider> provider,
        Dictionary<Guid, byte[]> credentials,
        out string? credential
    )
    {
        credential = null;
        if (!provider.Value.HasCredential)
            return true;
        try
        {
            if (!credentials.TryGetValue(provider.Id, out var sealedCredential))
                return false;
            credential = SealedProviderCredentials.Open(_masterKey, provider.Id, sealedCredential);
            return true;
        }
        catch (CryptographicException e)
        {
            LogNotOpened(e, provider.Id);
            return false;
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "The settings of the gateway cannot be read; the last known ones hold until they can"
    )]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Error, "The credential of the provider {ProviderId} cannot be opened; it is not used")]
    private partial void LogNotOpened(Exception exception, Guid providerId);

    [LoggerMessage(LogLevel.Error, "The provider {ProviderId} is not used: this version knows no kind '{Kind}'")]
    private partial void LogUnknownKind(Guid providerId, string kind);

    [LoggerMessage(
        LogLevel.Warning,
        "The deployment {DeploymentId} is not used: its provider {ProviderId} is not there"
    )]
    private partial void LogWithoutProvider(Guid deploymentId, Guid providerId);
}
