using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// What the converters of personal properties need to know while one record is written or read: JSON serialization has no place for it,
/// so it is there for the thread, for as long as the synchronous call takes.
/// </summary>
internal sealed class SealingScope
{
    [ThreadStatic]
    private static SealingScope? current;

    private readonly SubjectKeys _keys;
    private readonly Guid _actingSubject;

    // Nearly always the keys are remembered, and there is neither.
    private Dictionary<Guid, SubjectKey>? _loaded;
    private HashSet<Guid>? _missing;
    private bool _isWriting;

    /// <param name="keys">Those that are remembered.</param>
    /// <param name="tenantId">The organization.</param>
    /// <param name="streamId">The stream, or the document of that stream.</param>
    /// <param name="record">As in <see cref="SealedPlace.Record"/>.</param>
    /// <param name="actingSubject">The person who acts; the stream itself when nobody does.</param>
    private SealingScope(SubjectKeys keys, Guid tenantId, Guid streamId, string record, Guid? actingSubject)
    {
        _keys = keys;
        TenantId = tenantId;
        StreamId = streamId;
        Record = record;
        _actingSubject = actingSubject ?? streamId;
    }

    public static SealingScope Current =>
        current
        ?? throw new InvalidOperationException("A record with personal data is written or read through its store.");

    public Guid TenantId { get; }

    public Guid StreamId { get; }

    public string Record { get; }

    /// <exception cref="InvalidOperationException">It is a document, in which nobody acts.</exception>
    public Guid ActingSubject =>
        IsRepeatable
            ? throw new InvalidOperationException(
                $"The {Record} has a [Personal] property that does not say whose it is. Give Of, and a value in the property that it names."
            )
            : _actingSubject;

    /// <summary>The same state gives the same bytes.</summary>
    public bool IsRepeatable { get; private init; }

    /// <summary>The object whose property is about to be written.</summary>
    public object? Owner { get; set; }

    /// <summary>The scope of an event.</summary>
    public static SealingScope OfEvent(
        SubjectKeys keys,
        Guid tenantId,
        Guid streamId,
        string type,
        Guid? actingSubject = null
    ) => new(keys, tenantId, streamId, type, actingSubject);

    /// <summary>The scope of a document's row.</summary>
    public static SealingScope OfDocument(SubjectKeys keys, Guid tenantId, Guid id, string streamType) =>
        new(keys, tenantId, id, $"document:{streamType}", actingSubject: null) { IsRepeatable = true };

    public SealedPlace PlaceOf(string property) => new(TenantId, StreamId, Record, property);

    /// <summary>A person's key, or null when it must be fetched first; what is made of it then is made again.</summary>
    public SubjectKey? KeyOf(Guid subject)
    {
        if (_loaded is not null && _loaded.TryGetValue(subject, out var loaded))
            return loaded;
        if ((_isWriting ? _keys.FindForSealing(TenantId, subject) : _keys.Find(TenantId, subject)) is { } key)
            return key;
        (_missing ??= []).Add(subject);
        return null;
    }

    /// <summary>The key of today, or null when it must be fetched first.</summary>
    public DayKey? KeyOfToday()
    {
        var today = _keys.Today;
        return KeyOf(PersonalDays.IdOf(today)) is { } key ? new DayKey(today, key) : null;
    }

    /// <summary>What was sealed; null when it is erased, or a key must be fetched first.</summary>
    /// <exception cref="CryptographicException">It was sealed for another place or with another key, or was changed.</exception>
    public Memory<byte>? Open(in SealedValue value, string property)
    {
        var key = KeyOf(value.Subject);
        var day = value.Day is { } of ? KeyOf(PersonalDays.IdOf(of)) : null;
        if (
            value.Bytes is not { } bytes
            || key is not { IsErased: false }
            || (value.Day is not null && day is not { IsErased: false })
        )
            return null;
        return key.Open(bytes, PlaceOf(property), day);
    }

    /// <summary>The exact bytes that are stored for a record. Makes the keys that do not exist yet.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> WriteAsync(
        object record,
        JsonTypeInfo json,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var bytes = Write(record, json);
            if (_missing is null)
                return bytes;
            Add(await _keys.EnsureAsync(TenantId, _missing, cancellationToken));
        }
    }

    /// <summary>Reads a record; what is erased reads as such.</summary>
    /// <exception cref="JsonException">It does not fit the shape, or a sealed value was changed.</exception>
    public async ValueTask<object?> ReadAsync(
        ReadOnlyMemory<byte> stored,
        JsonTypeInfo json,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var record = Read(stored.Span, json);
            if (_missing is null)
                return record;
            await LoadMissingAsync(cancellationToken);
        }
    }

    /// <summary>The JSON of a record with its sealed values opened, whatever its shape.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> OpenAsync(
        ReadOnlyMemory<byte> stored,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var opened = SealedJson.Open(stored, this);
            if (_missing is null)
                return opened;
            await LoadMissingAsync(cancellationToken);
        }
    }

    private async Task LoadMissingAsync(CancellationToken cancellationToken) =>
        Add(await _keys.LoadAsync(TenantId, _missing!, cancellationToken));

    private ReadOnlyMemory<byte> Write(object record, JsonTypeInfo json)
    {
        _isWriting = true;
        current = this;
        try
        {
            return RecordJson.Write(record, json);
        }
        finally
        {
            current = null;
        }
    }

    private object? Read(ReadOnlySpan<byte> stored, JsonTypeInfo json)
    {
        current = this;
        try
        {
            return JsonSerializer.Deserialize(stored, json);
        }
        finally
        {
            current = null;
        }
    }

    // Kept here, whatever is remembered: a key that another thread forgets at once would be missing for ever.
    private void Add(IReadOnlyDictionary<Guid, SubjectKey> keys)
    {
        _loaded ??= [];
        foreach (var (subject, key) in keys)
            _loaded[subject] = key;
        _missing = null;
    }
}
