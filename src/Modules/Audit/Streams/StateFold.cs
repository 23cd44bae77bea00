using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Adds up a stream's events to its document, whichever that is; streams of the type have one.</summary>
internal sealed class StateFold(DocumentCatalog documents, string streamType, EventReader reader)
{
    private DocumentShape? _shape;

    /// <summary>The state so far, or null before the first event.</summary>
    public object? State { get; private set; }

    /// <exception cref="UnknownEventException">This build does not know the event.</exception>
    /// <exception cref="UnexpectedEventException">The document does not expect the event in its present state.</exception>
    /// <exception cref="System.Text.Json.JsonException">The stored JSON does not fit the event's shape.</exception>
    public async ValueTask AddAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        var @event = await reader.ReadAsync(recorded, cancellationToken);
        _shape ??= documents.Find(streamType, @event)!;
        State = _shape.Evolve(State, @event);
    }

    /// <summary>The JSON of the state.</summary>
    public RawJson Json() =>
        new(_shape!.Write(State ?? throw new InvalidOperationException("There is no state before the first event.")));
}
