using System.Text.Json;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Platform.Events;

/// <summary>Reads stored events: opens what is sealed in them, and brings them to their newest version.</summary>
public sealed class EventReader
{
    private readonly EventCatalog _catalog;
    private readonly SubjectKeys _keys;

    internal EventReader(EventCatalog catalog, SubjectKeys keys)
    {
        _catalog = catalog;
        _keys = keys;
    }

    /// <summary>The event. Personal data of a person who was erased reads as <see cref="PersonalAttribute.Erased"/>.</summary>
    /// <exception cref="UnknownEventException">No module knows this name and version.</exception>
    /// <exception cref="JsonException">The stored JSON does not fit the shape, or a sealed value in it was changed.</exception>
    public ValueTask<IEvent> ReadAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        if (recorded.Original is { } original && original.KeyGeneration == _keys.Generation)
            return ValueTask.FromResult(original.Event);
        return ReadAsync(
            recorded.TenantId,
            recorded.StreamId,
            recorded.Type,
            recorded.TypeVersion,
            recorded.Data,
            recorded.Position,
            cancellationToken
        );
    }

    /// <summary>
    /// The event's JSON as a person may read it, with what is sealed in it opened; for the exact bytes, see <see cref="RecordedEvent.Data"/>.
    /// The type need not be known.
    /// </summary>
    public ValueTask<ReadOnlyMemory<byte>> OpenAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        return SealingScope
            .OfEvent(_keys, recorded.TenantId, recorded.StreamId, recorded.Type)
            .OpenAsync(recorded.Data, cancellationToken);
    }

    internal ValueTask<IEvent> ReadAsync(
        Guid tenantId,
        Guid streamId,
        string type,
        int typeVersion,
        ReadOnlyMemory<byte> data,
        long position,
        CancellationToken cancellationToken
    )
    {
        var shape = _catalog.ShapeOf(type, typeVersion, position);
        return shape.HasPersonalData
            ? ReadSealedAsync(tenantId, streamId, shape, data, position, cancellationToken)
            : ValueTask.FromResult(_catalog.Read(type, typeVersion, data.Span, position));
    }

    private async ValueTask<IEvent> ReadSealedAsync(
        Guid tenantId,
        Guid streamId,
        EventShape shape,
        ReadOnlyMemory<byte> data,
        long position,
        CancellationToken cancellationToken
    ) =>
        _catalog.Upcast(
            await SealingScope
                .OfEvent(_keys, tenantId, streamId, shape.Name)
                .ReadAsync(data, shape.Json, cancellationToken),
            shape,
            position
        );
}
