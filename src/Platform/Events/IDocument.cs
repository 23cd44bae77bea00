using System.Buffers;

namespace Verbatim.Platform.Events;

/// <summary>
/// The state that a stream's events add up to. One stream is one document; the record carries
/// <see cref="StreamTypeAttribute"/>.
/// </summary>
/// <typeparam name="TSelf">The document itself.</typeparam>
public interface IDocument<TSelf>
    where TSelf : class, IDocument<TSelf>
{
    /// <summary>
    /// The state after <paramref name="event"/>. Pure and total: the same events give the same state on every machine. The state is kept
    /// as JSON between two appends, so everything in it must survive that.
    /// </summary>
    /// <param name="current">The state so far, or null before the first event.</param>
    /// <param name="event">The next event of the stream, already in its newest version.</param>
    /// <exception cref="UnexpectedEventException">The document does not know this event in this state.</exception>
    static abstract TSelf Evolve(TSelf? current, IEvent @event);
}

/// <summary>Names the streams that a document is folded from, and says how its state is kept.</summary>
/// <param name="name">
/// A singular noun, lower case with hyphens, unique in the product: <c>inference</c>, <c>api-key</c>. Its table is
/// <c>documents.api_key</c>.
/// </param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class StreamTypeAttribute(string name) : Attribute
{
    /// <summary>The stored name of the stream's type.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// Whose a document is: the name of a property with a principal's id (null in it: nobody's, so only who sees the whole organization sees
    /// it), or one of <see cref="DocumentOwner"/>. Required, so that nothing is shared by having been forgotten.
    /// </summary>
    public required string Owner { get; init; }

    /// <summary>How the state is kept; <see cref="SnapshotKind.Inline"/> unless set.</summary>
    public SnapshotKind Snapshot { get; init; }

    /// <summary>
    /// The name under which its streams were once recorded together with another document's, told apart by <see cref="FormerFirstEvent"/>.
    /// What is recorded keeps its name for ever.
    /// </summary>
    public string? FormerName { get; init; }

    /// <summary>The event that a stream of the former name begins with when it belongs to this document.</summary>
    public Type? FormerFirstEvent { get; init; }

    internal static bool IsValid(string name) =>
        name is { Length: > 0 and <= 50 } && !name.AsSpan().ContainsAnyExcept(ValidCharacters);

    private static readonly SearchValues<char> ValidCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyz0123456789-"
    );
}

/// <summary>How a document's state is kept.</summary>
public enum SnapshotKind
{
    /// <summary>A row in <c>documents.*</c>, written in the transaction of the append: reads see writes.</summary>
    Inline,

    /// <summary>
    /// No row: a read folds the stream. For streams of a handful of events that are written far more often than they
    /// are read (decision record 0003).
    /// </summary>
    Folded,
}

/// <summary>A document met an event that it does not know, or knows but not in its present state.</summary>
public sealed class UnexpectedEventException(Type document, IEvent @event)
    : InvalidOperationException($"{document.Name} does not expect {@event.GetType().Name} in its present state.");
