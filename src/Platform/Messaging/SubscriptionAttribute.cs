namespace Verbatim.Platform.Messaging;

/// <summary>
/// Marks a class whose static <c>HandleAsync</c> methods react to events, one method for each type, in the order of the log. A method's
/// first parameter is the event; further ones are <see cref="Message"/>, services and a cancellation token.
/// </summary>
/// <remarks>
/// What a handler writes through the message's transaction happens exactly once. What it does elsewhere happens at least once: it may be
/// stopped, and asked again, at any moment before that transaction is committed. A handler that fails is asked again, later and later; at
/// last its event becomes a dead letter, and the later events of the same stream wait behind it.
/// </remarks>
/// <example>
/// <code>
/// [Subscription("usage.settle-on-inference-completed")]
/// internal static class OnInferenceCompleted
/// {
///     public static Task HandleAsync(InferenceCompleted completed, Message message, Ledger ledger, CancellationToken cancellationToken) => …
/// }
/// </code>
/// </example>
/// <param name="name">
/// The stored name of its checkpoint, <c>module.what-it-does</c>. It never changes: a new name starts at the beginning of the log.
/// </param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public class SubscriptionAttribute(string name) : Attribute
{
    /// <summary>The most lanes that a subscription has.</summary>
    public const int MaxLanes = 64;

    /// <summary>The most events in one transaction.</summary>
    public const int MaxBatchSize = 10_000;

    /// <summary>The stored name.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// How many streams are handled side by side, 1 to <see cref="MaxLanes"/>. With more than one only the order within each stream is
    /// kept. It may change from one version of the product to the next.
    /// </summary>
    public int Lanes { get; init; } = 1;

    /// <summary>How many events are handled in one transaction at most, 1 to <see cref="MaxBatchSize"/>.</summary>
    public int BatchSize { get; init; } = 1000;

    /// <summary>
    /// How often an event is tried before it becomes a dead letter. The pauses grow to half a minute: ten attempts take two minutes. While
    /// the database itself is away nothing is counted.
    /// </summary>
    public int MaxAttempts { get; init; } = 10;
}
