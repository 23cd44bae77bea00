using Microsoft.Extensions.Logging;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>What everything that runs subscriptions on this instance needs.</summary>
internal sealed record SubscriptionContext(
    EventReader Events,
    LogSignal Signal,
    RecentEvents Recent,
    Database Database,
    IServiceProvider Services,
    RunningInstance Instance,
    IdSource Ids,
    MessagingMeters Meters,
    TimeProvider Time,
    ILogger<SubscriptionRunner> Logger
);
