using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;
using Verbatim.Tests.Integration.Events;

namespace Verbatim.Tests.Integration.Messaging.Jobs;

/// <summary>One instance of the product, as far as jobs are concerned.</summary>
internal sealed class RunningJobs : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly JobRunner _runner;

    public RunningJobs(TestStore store, Worker worker, JobSettings? settings = null)
    {
        _services = new ServiceCollection().AddSingleton(worker).BuildServiceProvider();
        _runner = new JobRunner(
            Catalog,
            settings ?? JobSettings.Default with { Drain = TimeSpan.Zero },
            store.Database,
            store.Signal,
            _services,
            new RunningInstance(new IdSource(TimeProvider.System)),
            new MessagingMeters(),
            TimeProvider.System,
            NullLogger<JobRunner>.Instance
        );
    }

    public static JobCatalog Catalog { get; } = new([typeof(DoChore), typeof(DoErrand), typeof(DoDuty)]);

    public static JobEnqueuer Enqueuer { get; } = new(Catalog, new IdSource(TimeProvider.System));

    public Task StartAsync() => _runner.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _runner.StopAsync(CancellationToken.None);
        _runner.Dispose();
        await _services.DisposeAsync();
    }
}
