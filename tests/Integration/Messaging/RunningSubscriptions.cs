using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;
using Verbatim.Tests.Integration.Events;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>One instance of the product, as far as subscriptions are concerned.</summary>
internal sealed class RunningSubscriptions : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly SubscriptionRunner _runner;

    public RunningSubscriptions(TestStore store, IEnumerable<Type> types, params object[] services)
    {
        var collection = new ServiceCollection();
        foreach (var service in services)
            collection.AddSingleton(service.GetType(), service);
        _services = collection.BuildServiceProvider();
        var ids = new IdSource(TimeProvider.System);
        _runner = new SubscriptionRunner(
            new SubscriptionCatalog(types, store.Catalog),
            new SubscriptionContext(
                store.Opener,
                store.Signal,
                store.Recent,
                store.Database,
                _services,
                new RunningInstance(ids),
                ids,
                new MessagingMeters(),
                TimeProvider.System,
                NullLogger<SubscriptionRunner>.Instance
            )
        );
    }

    public Task StartAsync() => _runner.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _runner.StopAsync(CancellationToken.None);
        _runner.Dispose();
        await _services.DisposeAsync();
    }
}
