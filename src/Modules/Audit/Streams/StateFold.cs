using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Adds up a stream's events to its document, whichever that is.</summary>
internal sealed class StateFold(DocumentShape shape, EventReader reader)
{
    /// <summary>The state so far, or null before the first event.</summary>
    public object? State { get; private set; }

    /// <exception cref="UnknownEventException">This build does not know the event.</exception>
    /// <exception cref="UnexpectedEventException">The document does not expect the event in its present state.</exception>
    /// <exception cref="System.Text.Json.JsonException">The stored JSON does not fit the event's shape.</exception>
    public async ValueTask AddAsync(RecordedEvent recorded, CancellationToken cancellationToken) =>
        State = shape.Evolve(State, await reader.ReadAsync(recorded, cancellationToken));

    /// <summary>The JSON of the state.</summary>
    public RawJson Json() =>
        new(shape.Write(State ?? throw new InvalidOperationException("There is no state before the first event.")));
}
