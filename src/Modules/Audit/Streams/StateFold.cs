using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Adds up a stream's events to its document, whichever that is.</summary>
internal sealed class StateFold(DocumentShape shape, EventCatalog catalog)
{
    /// <summary>The state so far, or null before the first event.</summary>
    public object? State { get; private set; }

    /// <exception cref="UnknownEventException">This build does not know the event.</exception>
    /// <exception cref="UnexpectedEventException">The document does not expect the event in its present state.</exception>
    /// <exception cref="System.Text.Json.JsonException">The stored JSON does not fit the event's shape.</exception>
    public ValueTask AddAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        State = shape.Evolve(State, catalog.Read(recorded));
        return ValueTask.CompletedTask;
    }

    /// <summary>The exact JSON of the state.</summary>
    public RawJson Json() =>
        new(shape.Write(State ?? throw new InvalidOperationException("There is no state before the first event.")));
}
