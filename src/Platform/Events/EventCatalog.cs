using System.Collections.Frozen;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Platform.Events;

/// <summary>One stored shape of an event: a name and a version, and the CLR type that reads it.</summary>
/// <param name="Name">The stored name.</param>
/// <param name="Version">The stored version.</param>
/// <param name="ClrType">The record that has this shape.</param>
/// <param name="IsNewest">True for the version that is written today.</param>
public sealed record EventShape(string Name, int Version, Type ClrType, bool IsNewest)
{
    /// <summary>It has properties that are sealed: it is written and read through <see cref="EventStore"/> and <see cref="EventReader"/>.</summary>
    public bool HasPersonalData { get; init; }

    internal JsonTypeInfo Json { get; init; } = null!;

    internal Func<IEvent, IEvent>? Upcast { get; init; }
}

/// <summary>
/// All events that the product knows, found in the modules' assemblies: stored name and version ↔ CLR type, how they
/// become JSON, and how old versions become new ones. A mistake in a declaration stops the start.
/// </summary>
public sealed class EventCatalog
{
    private const int MaxNameLength = 100;

    private readonly FrozenDictionary<Type, EventShape> _byType;
    private readonly FrozenDictionary<(string Name, int Version), EventShape> _byName;

    /// <summary>Reads the declarations of <paramref name="assemblies"/>.</summary>
    /// <exception cref="InvalidOperationException">A declaration is incomplete or contradicts another.</exception>
    public EventCatalog(IReadOnlyCollection<Assembly> assemblies)
        : this(assemblies.SelectMany(a => a.GetTypes())) { }

    internal EventCatalog(IEnumerable<Type> types)
    {
        var concrete = types.Where(t => t is { IsAbstract: false, IsClass: true }).ToList();
        Json = CreateJsonOptions(concrete);
        Sealing = new JsonSerializerOptions(Json)
        {
            TypeInfoResolver = Json.TypeInfoResolver!.WithAddedModifier(PersonalProperties.Sealing(Json)),
        };

        var shapes = concrete.Where(t => t.IsAssignableTo(typeof(IEvent))).Select(Describe).ToList();
        foreach (var versions in shapes.GroupBy(s => s.Name, StringComparer.Ordinal))
            CheckVersions(versions.Key, [.. versions.OrderBy(s => s.Version)]);

        _byType = shapes.ToFrozenDictionary(s => s.ClrType);
        _byName = shapes.ToFrozenDictionary(s => (s.Name, s.Version));
        Shapes = [.. shapes.OrderBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Version)];
    }

    /// <summary>Every stored shape, by name and version.</summary>
    public IReadOnlyList<EventShape> Shapes { get; }

    /// <summary>How events and documents are written as JSON: camelCase, nulls left out, enums as camelCase words.</summary>
    public JsonSerializerOptions Json { get; }

    /// <summary>The same, with personal properties sealed. Only inside of a <see cref="SealingScope"/>.</summary>
    internal JsonSerializerOptions Sealing { get; }

    /// <summary>The shape of a CLR type that is written today.</summary>
    /// <exception cref="InvalidOperationException">The type is unknown, or is an old version.</exception>
    public EventShape ShapeOf(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (!_byType.TryGetValue(type, out var shape))
            throw new InvalidOperationException($"{type} is in no module that the Host names, so it cannot be stored.");
        return shape.IsNewest
            ? shape
            : throw new InvalidOperationException($"{type} is version {shape.Version} of '{shape.Name}', an old one.");
    }

    /// <summary>The exact JSON that is stored for an event without personal data.</summary>
    internal byte[] Write(IEvent @event) => JsonSerializer.SerializeToUtf8Bytes(@event, ShapeOf(@event.GetType()).Json);

    /// <summary>Reads a stored event without personal data; <see cref="EventReader"/> reads all.</summary>
    internal IEvent Read(RecordedEvent recorded) =>
        Read(recorded.Type, recorded.TypeVersion, recorded.Data.Span, recorded.Position);

    internal IEvent Read(string type, int typeVersion, ReadOnlySpan<byte> data, long position)
    {
        var shape = ShapeOf(type, typeVersion, position);
        return Upcast(JsonSerializer.Deserialize(data, shape.Json), shape, position);
    }

    /// <summary>The shape of a stored event.</summary>
    /// <exception cref="UnknownEventException">No module knows this name and version.</exception>
    internal EventShape ShapeOf(string type, int typeVersion, long position) =>
        _byName.TryGetValue((type, typeVersion), out var shape)
            ? shape
            : throw new UnknownEventException(type, typeVersion, position);

    /// <summary>Brings what was read to its newest version.</summary>
    /// <exception cref="JsonException">It is the JSON null.</exception>
    internal IEvent Upcast(object? read, EventShape shape, long position)
    {
        var @event = (IEvent?)read ?? throw new JsonException($"The event at position {position} is the JSON null.");
        while (shape.Upcast is { } upcast)
        {
            @event = upcast(@event);
            shape = _byType[@event.GetType()];
        }
        return @event;
    }

    private static JsonSerializerOptions CreateJsonOptions(List<Type> types)
    {
        // Source-generated metadata is taken wherever a module offers it; reflection serves the rest.
        var generated = types
            .Where(t => t.IsSubclassOf(typeof(JsonSerializerContext)))
            .Select(t => (IJsonTypeInfoResolver)Activator.CreateInstance(t)!);
        return new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            NumberHandling = JsonNumberHandling.Strict,
            // A recorded body is nested as deep as its reader allows (64 by default), inside of an event.
            MaxDepth = 256,
            PropertyNameCaseInsensitive = false,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
            TypeInfoResolver = JsonTypeInfoResolver.Combine([.. generated, new DefaultJsonTypeInfoResolver()]),
        };
    }

    private EventShape Describe(Type type)
    {
        var declared =
            type.GetCustomAttribute<EventTypeAttribute>()
            ?? throw new InvalidOperationException(
                $"{type} is an IEvent without [EventType(\"module.noun-past-verb\")]."
            );
        if (type.IsGenericType)
            throw new InvalidOperationException($"{type} is generic; an event has one shape.");
        if (!IsStoredName(declared.Name))
            throw new InvalidOperationException(
                $"{type} has the event type '{declared.Name}'; valid is module.noun-past-verb in lower case with hyphens."
            );

        var next = type.GetInterfaces()
            .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IUpcast<>));
        var sealing = Sealing.GetTypeInfo(type);
        var isPersonal = PersonalProperties.AreIn(sealing);
        return new EventShape(declared.Name, declared.Version, type, IsNewest: next is null)
        {
            HasPersonalData = isPersonal,
            Json = isPersonal ? sealing : Json.GetTypeInfo(type),
            Upcast = next is null ? null : CreateUpcast(next),
        };
    }

    private static Func<IEvent, IEvent> CreateUpcast(Type upcastInterface) =>
        typeof(EventCatalog)
            .GetMethod(nameof(UpcastTo), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(upcastInterface.GetGenericArguments())
            .CreateDelegate<Func<IEvent, IEvent>>();

    private static IEvent UpcastTo<TNext>(IEvent old)
        where TNext : IEvent => ((IUpcast<TNext>)old).Upcast();

    private static void CheckVersions(string name, IReadOnlyList<EventShape> versions)
    {
        if (!versions.Select(v => v.Version).SequenceEqual(Enumerable.Range(1, versions.Count)))
            throw new InvalidOperationException(
                $"Event '{name}' has versions {string.Join(", ", versions.Select(v => $"{v.Version} ({v.ClrType})"))}; they must be 1, 2, 3 … once each."
            );

        for (var i = 0; i < versions.Count; i++)
        {
            var shape = versions[i];
            var isLast = i == versions.Count - 1;
            var target = shape
                .ClrType.GetInterfaces()
                .FirstOrDefault(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(IUpcast<>))
                ?.GetGenericArguments()[0];
            if (isLast ? target is not null : target != versions[i + 1].ClrType)
                throw new InvalidOperationException(
                    isLast
                        ? $"{shape.ClrType} is the newest version of '{name}' and must not be an IUpcast."
                        : $"{shape.ClrType} is version {shape.Version} of '{name}' and must be IUpcast<{versions[i + 1].ClrType.Name}>."
                );
        }
    }

    private static bool IsStoredName(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0
            && dot < name.Length - 1
            && name.Length <= MaxNameLength
            && name.LastIndexOf('.') == dot
            && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '.');
    }
}

/// <summary>The log holds an event whose type no module of this build knows.</summary>
public sealed class UnknownEventException(string type, int version, long position)
    : InvalidOperationException(
        $"The event at position {position} is '{type}' version {version}, which this build does not know. "
            + "Run the version of Verbatim that wrote it, or one later."
    );
