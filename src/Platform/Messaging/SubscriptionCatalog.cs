using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Handler = System.Func<
    object,
    object,
    System.IServiceProvider,
    System.Threading.CancellationToken,
    System.Threading.Tasks.Task
>;

namespace Verbatim.Platform.Messaging;

/// <summary>A subscription: its name, the events that it wants, and its handlers.</summary>
internal sealed partial class Subscription
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
        if (declared is ProjectionAttribute projection)
        {
            Version = InRange(type, projection.Version, 1_000_000, nameof(projection.Version));
            CreateTableSql = ReadCreateTableSql(type);
            (Schema, View) = NamesOf(type, Name);
        }
        EventTypes =
        [
            .. handlers
                .Keys.Select(t => events.ShapeOf(t).Name)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
    }

    private Subscription(Subscription projection, string name, string table)
    {
        _handlers = projection._handlers;
        (Name, Table) = (name, table);
        (EventTypes, Lanes, BatchSize, MaxAttempts) = (
            projection.EventTypes,
            projection.Lanes,
            projection.BatchSize,
            projection.MaxAttempts
        );
    }

    public string Name { get; }

    /// <summary>A projection's version; null for another subscription, and for a build.</summary>
    public int? Version { get; }

    public Func<string, string>? CreateTableSql { get; }

    /// <summary>The schema of a projection's tables.</summary>
    public string Schema { get; } = "";

    /// <summary>What a projection is read by.</summary>
    public string View { get; } = "";

    /// <summary>The table of a build.</summary>
    public string? Table { get; }

    /// <summary>The stored names of its events.</summary>
    public string[] EventTypes { get; }

    public int Lanes { get; }

    public int BatchSize { get; }

    public int MaxAttempts { get; }

    public string TableOf(int build) => string.Create(CultureInfo.InvariantCulture, $"{View}_{build}");

    public string BuildName(int build) => string.Create(CultureInfo.InvariantCulture, $"{Name}.{build}");

    /// <summary>The subscription that handles the events of a build.</summary>
    public Subscription Build(int build) => new(this, BuildName(build), TableOf(build));

    /// <summary>Which build of this projection the subscription of this name is.</summary>
    public int? BuildOf(string name) =>
        Version is not null
        && name.StartsWith(Name + ".", StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(Name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var build)
            ? build
            : null;

    public Task HandleAsync(
        IEvent @event,
        Message message,
        IServiceProvider services,
        CancellationToken cancellationToken
    ) => _handlers[@event.GetType()](@event, message, services, cancellationToken);

    private static Func<string, string> ReadCreateTableSql(Type type) =>
        type.GetMethod(
            "CreateTableSql",
            BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic,
            [typeof(string)]
        )
            is { } method
        && method.ReturnType == typeof(string)
            ? method.CreateDelegate<Func<string, string>>()
            : throw new InvalidOperationException(
                $"{type} is a [Projection] without a static string CreateTableSql(string table)."
            );

    // They become part of statements, so nothing but such letters.
    private static (string Schema, string View) NamesOf(Type type, string name) =>
        ProjectionName().Match(name) is { Success: true } match
            ? (
                match.Groups["module"].Value,
                $"{match.Groups["module"].Value}.{match.Groups["what"].Value.Replace('-', '_')}"
            )
            : throw new InvalidOperationException(
                $"{type} is the projection '{name}'; valid is module.what-it-shows in lower case with hyphens, up to 50 letters."
            );

    [GeneratedRegex(
        "^(?<module>[a-z]{1,30})\\.(?<what>[a-z][a-z0-9-]{0,49})$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ProjectionName();

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
        List<Subscription> all =
        [
            .. types
                .Where(t => t.GetCustomAttribute<SubscriptionAttribute>() is not null)
                .Select(t => new Subscription(t, events)),
        ];
        var twice = all.GroupBy(s => s.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any());
        if (twice is not null)
            throw new InvalidOperationException($"The subscription '{twice.Key}' is declared {twice.Count()} times.");
        Subscriptions = [.. all.Where(s => s.Version is null)];
        Projections = [.. all.Where(s => s.Version is not null)];
    }

    /// <summary>Those that are no projections.</summary>
    public IReadOnlyList<Subscription> Subscriptions { get; }

    /// <summary>Each runs as the subscriptions of its builds.</summary>
    public IReadOnlyList<Subscription> Projections { get; }

    /// <summary>The subscription of this name, or the build of a projection, if a module of this build has it.</summary>
    public Subscription? Find(string name) =>
        Subscriptions.FirstOrDefault(s => s.Name == name)
        ?? Projections
            .Select(p => p.BuildOf(name) is { } build ? p.Build(build) : null)
            .FirstOrDefault(s => s is not null);
}
