using System.Collections.Frozen;
using System.Reflection;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Messaging;

/// <summary>A subscription: its name, the events that it wants, and its handlers.</summary>
internal sealed class Subscription
{
    private readonly FrozenDictionary<Type, Handler> _handlers;

    /// <exception cref="InvalidOperationException">The declaration is incomplete, or an event is unknown.</exception>
    public Subscription(Type type, EventCatalog events)
    {
        var declared = type.GetCustomAttribute<SubscriptionAttribute>()!;
        Name = declared.Name;
        Lanes = InRange(type, declared.Lanes, SubscriptionAttribute.MaxLanes, nameof(declared.Lanes));
        BatchSize = InRange(type, declared.BatchSize, SubscriptionAttribute.MaxBatchSize, nameof(declared.BatchSize));
        MaxAttempts = InRange(type, declared.MaxAttempts, 1000, nameof(declared.MaxAttempts));

        var methods = HandlerMethod.Of(type).ToList();
        if (methods.Count == 0)
            throw new InvalidOperationException($"{type} is a [Subscription] without a static HandleAsync method.");
        var handlers = new Dictionary<Type, Handler>();
        foreach (var method in methods)
        {
            if (
                method.ReturnType != typeof(Task)
                || method.GetParameters() is not [{ ParameterType: var first }, ..]
                || !first.IsAssignableTo(typeof(IEvent))
            )
                throw new InvalidOperationException(
                    $"{type}.HandleAsync must return Task and take an event as its first parameter."
                );
            _ = events.ShapeOf(first);
            if (!handlers.TryAdd(first, HandlerMethod.Compile(method, typeof(Message))))
                throw new InvalidOperationException($"{type} has two HandleAsync methods for {first.Name}.");
        }
        _handlers = handlers.ToFrozenDictionary();
        EventTypes =
        [
            .. handlers
                .Keys.Select(t => events.ShapeOf(t).Name)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
    }

    public string Name { get; }

    /// <summary>The stored names of its events.</summary>
    public string[] EventTypes { get; }

    public int Lanes { get; }

    public int BatchSize { get; }

    public int MaxAttempts { get; }

    public Task HandleAsync(
        IEvent @event,
        Message message,
        IServiceProvider services,
        CancellationToken cancellationToken
    ) => _handlers[@event.GetType()](@event, message, services, cancellationToken);

    private static int InRange(Type type, int value, int max, string setting) =>
        value >= 1 && value <= max
            ? value
            : throw new InvalidOperationException($"{type} has {setting} = {value}; valid is 1 to {max}.");
}

/// <summary>All subscriptions, found in the modules' assemblies.</summary>
internal sealed class SubscriptionCatalog
{
    public SubscriptionCatalog(ModuleCatalog modules, EventCatalog events)
        : this(modules.Assemblies.SelectMany(a => a.GetTypes()), events) { }

    internal SubscriptionCatalog(IEnumerable<Type> types, EventCatalog events)
    {
        Subscriptions =
        [
            .. types
                .Where(t => t.GetCustomAttribute<SubscriptionAttribute>() is not null)
                .Select(t => new Subscription(t, events)),
        ];
        var twice = Subscriptions.GroupBy(s => s.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any());
        if (twice is not null)
            throw new InvalidOperationException($"The subscription '{twice.Key}' is declared {twice.Count()} times.");
    }

    public IReadOnlyList<Subscription> Subscriptions { get; }

    /// <summary>The subscription of this name, if a module of this build has it.</summary>
    public Subscription? Find(string name) => Subscriptions.FirstOrDefault(s => s.Name == name);
}
