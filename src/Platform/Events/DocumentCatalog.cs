using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Platform.Events;

/// <summary>A document type: its stream type, its table, and how its state is folded and written.</summary>
public abstract class DocumentShape
{
    private protected DocumentShape(Type clrType, StreamTypeAttribute declared)
    {
        ClrType = clrType;
        StreamType = declared.Name;
        Snapshot = declared.Snapshot;
        Table = "documents." + declared.Name.Replace('-', '_');
        UpsertSql = DocumentTables.UpsertSql(Table);
        Ownership = new DocumentOwnership(clrType, declared.Owner);
    }

    /// <summary>The record.</summary>
    public Type ClrType { get; }

    /// <summary>The stored name of the streams that it is folded from.</summary>
    public string StreamType { get; }

    /// <summary>How its state is kept.</summary>
    public SnapshotKind Snapshot { get; }

    /// <summary>The qualified name of its table; none exists for <see cref="SnapshotKind.Folded"/>.</summary>
    public string Table { get; }

    internal string UpsertSql { get; }

    internal DocumentOwnership Ownership { get; }

    /// <summary>Events that begin streams of this type which are another document's (<see cref="StreamTypeAttribute.FormerName"/>).</summary>
    internal HashSet<Type> BeginningsOfOthers { get; } = [];

    /// <summary>A stream of this type that begins with this event is this document's.</summary>
    internal bool IsBegunBy(IEvent first) => !BeginningsOfOthers.Contains(first.GetType());

    /// <summary>What a row looks like. Another text means that rows from before are to be made anew.</summary>
    internal abstract string DescribeRow();

    /// <summary>One step of the fold, without knowing the type.</summary>
    public abstract object Evolve(object? current, IEvent @event);

    /// <summary>The JSON of a state, for whoever may read it. Its row has the same, with personal properties sealed.</summary>
    public abstract byte[] Write(object document);

    /// <summary>Its row has sealed values in it.</summary>
    public abstract bool HasPersonalData { get; }

    /// <summary>The exact JSON of its row.</summary>
    internal abstract ValueTask<byte[]> WriteRowAsync(
        object document,
        Guid tenantId,
        Guid id,
        SubjectKeys keys,
        CancellationToken cancellationToken
    );
}

internal sealed class DocumentShape<T>(StreamTypeAttribute declared, EventCatalog events)
    : DocumentShape(typeof(T), declared)
    where T : class, IDocument<T>
{
    private readonly JsonTypeInfo<T> _plain = (JsonTypeInfo<T>)events.Json.GetTypeInfo(typeof(T));
    private readonly JsonTypeInfo<T> _sealing = (JsonTypeInfo<T>)events.Sealing.GetTypeInfo(typeof(T));

    public override bool HasPersonalData { get; } = PersonalProperties.AreIn(events.Sealing.GetTypeInfo(typeof(T)));

    // Names, their order and types, and which of them are sealed.
    internal override string DescribeRow() =>
        _plain.GetJsonSchemaAsNode().ToJsonString() + _sealing.GetJsonSchemaAsNode().ToJsonString();

    public override object Evolve(object? current, IEvent @event) => T.Evolve((T?)current, @event);

    public override byte[] Write(object document) => JsonSerializer.SerializeToUtf8Bytes((T)document, _plain);

    internal override async ValueTask<byte[]> WriteRowAsync(
        object document,
        Guid tenantId,
        Guid id,
        SubjectKeys keys,
        CancellationToken cancellationToken
    ) =>
        HasPersonalData
            ? (await Scope(tenantId, id, keys).WriteAsync(document, _sealing, cancellationToken)).ToArray()
            : Write(document);

    public async ValueTask<T> ReadRowAsync(
        ReadOnlyMemory<byte> json,
        Guid tenantId,
        Guid id,
        SubjectKeys keys,
        CancellationToken cancellationToken
    ) =>
        (T?)(
            HasPersonalData
                ? await Scope(tenantId, id, keys).ReadAsync(json, _sealing, cancellationToken)
                : JsonSerializer.Deserialize(json.Span, _plain)
        ) ?? throw new JsonException($"The stored {StreamType} is the JSON null.");

    private SealingScope Scope(Guid tenantId, Guid id, SubjectKeys keys) =>
        SealingScope.OfDocument(keys, tenantId, id, StreamType);
}

/// <summary>All document types, found in the modules' assemblies.</summary>
public sealed class DocumentCatalog
{
    private readonly FrozenDictionary<Type, DocumentShape> _byType;
    private readonly FrozenDictionary<string, DocumentShape> _byStreamType;
    private readonly Dictionary<(string StreamType, Type First), DocumentShape> _byFormerName = [];

    /// <summary>Reads the declarations of <paramref name="assemblies"/>.</summary>
    /// <exception cref="InvalidOperationException">A declaration is incomplete or contradicts another.</exception>
    public DocumentCatalog(IReadOnlyCollection<Assembly> assemblies, EventCatalog events)
        : this(assemblies.SelectMany(a => a.GetTypes()), events) { }

    internal DocumentCatalog(IEnumerable<Type> types, EventCatalog events)
    {
        ArgumentNullException.ThrowIfNull(events);
        var shapes = types
            .Where(t => t is { IsAbstract: false, IsClass: true } && IsDocument(t))
            .Select(type => Describe(type, events))
            .ToList();

        var twice = shapes.GroupBy(s => s.StreamType, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any());
        if (twice is not null)
            throw new InvalidOperationException(
                $"The stream type '{twice.Key}' is declared by {string.Join(" and ", twice.Select(s => s.ClrType))}."
            );

        _byType = shapes.ToFrozenDictionary(s => s.ClrType);
        _byStreamType = shapes.ToFrozenDictionary(s => s.StreamType, StringComparer.Ordinal);
        Shapes = shapes;
        foreach (var shape in shapes)
            AddFormerName(shape);
    }

    /// <summary>Every document type.</summary>
    public IReadOnlyList<DocumentShape> Shapes { get; }

    /// <summary>The document folded from streams of this type, or null if there is none.</summary>
    public DocumentShape? Find(string streamType) => _byStreamType.GetValueOrDefault(streamType);

    /// <summary>The document of a stream of this type that begins with this event, or null if there is none.</summary>
    public DocumentShape? Find(string streamType, IEvent first)
    {
        ArgumentNullException.ThrowIfNull(first);
        return _byFormerName.GetValueOrDefault((streamType, first.GetType())) ?? Find(streamType);
    }

    internal DocumentShape<T> Of<T>()
        where T : class, IDocument<T> =>
        _byType.TryGetValue(typeof(T), out var shape)
            ? (DocumentShape<T>)shape
            : throw new InvalidOperationException($"{typeof(T)} is in no module that the Host names.");

    private void AddFormerName(DocumentShape shape)
    {
        var declared = shape.ClrType.GetCustomAttribute<StreamTypeAttribute>()!;
        if (declared is { FormerName: null, FormerFirstEvent: null })
            return;
        if (declared is not { FormerName: { } name, FormerFirstEvent: { } first } || Find(name) is not { } other)
            throw new InvalidOperationException(
                $"{shape.ClrType} needs both FormerName and FormerFirstEvent, and a document that has the name now."
            );
        _byFormerName.Add((name, first), shape);
        other.BeginningsOfOthers.Add(first);
    }

    private static bool IsDocument(Type type) =>
        type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDocument<>));

    private static DocumentShape Describe(Type type, EventCatalog events)
    {
        var declared =
            type.GetCustomAttribute<StreamTypeAttribute>()
            ?? throw new InvalidOperationException($"{type} is an IDocument without [StreamType(\"a-noun\")].");
        if (!StreamTypeAttribute.IsValid(declared.Name))
            throw new InvalidOperationException(
                $"{type} has the stream type '{declared.Name}'; valid is a noun in lower case with hyphens, 50 letters at most."
            );
        var shape = typeof(DocumentShape<>).MakeGenericType(type);
        return (DocumentShape)
            Activator.CreateInstance(
                shape,
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.DoNotWrapExceptions,
                binder: null,
                [declared, events],
                culture: null
            )!;
    }
}
