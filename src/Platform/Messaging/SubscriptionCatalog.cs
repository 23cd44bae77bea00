using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Messaging;

/// <summary>A subscription: its name, the event that it wants, and its handler.</summary>
internal sealed class Subscription
{
    private readonly MethodInfo _method;
    private readonly ParameterInfo[] _parameters;

    /// <exception cref="InvalidOperationException">The declaration is incomplete, or the event is unknown.</exception>
    public Subscription(Type type, EventCatalog events)
    {
        Name = type.GetCustomAttribute<SubscriptionAttribute>()!.Name;
        _method =
            type.GetMethod("HandleAsync", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            ?? throw new InvalidOperationException($"{type} is a [Subscription] without a static HandleAsync method.");
        _parameters = _method.GetParameters();
        if (
            _method.ReturnType != typeof(Task)
            || _parameters.Length == 0
            || !_parameters[0].ParameterType.IsAssignableTo(typeof(IEvent))
        )
            throw new InvalidOperationException(
                $"{type}.HandleAsync must return Task and take an event as its first parameter."
            );
        EventType = _parameters[0].ParameterType;
        _ = events.ShapeOf(EventType);
    }

    public string Name { get; }

    public Type EventType { get; }

    public Task HandleAsync(
        IEvent @event,
        Message message,
        IServiceProvider services,
        CancellationToken cancellationToken
    )
    {
        var arguments = _parameters
            .Select(
                (parameter, index) =>
                    index == 0 ? @event
                    : parameter.ParameterType == typeof(Message) ? message
                    : parameter.ParameterType == typeof(CancellationToken) ? cancellationToken
                    : services.GetRequiredService(parameter.ParameterType)
            )
            .ToArray();
        return (Task)_method.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
    }
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
}
