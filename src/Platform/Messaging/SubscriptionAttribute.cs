namespace Verbatim.Platform.Messaging;

/// <summary>
/// Marks a class whose static <c>HandleAsync</c> method reacts to events of one type, in the order of the log, at least once each. Its
/// first parameter is the event; further ones are <see cref="Message"/>, services and a cancellation token.
/// </summary>
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
public sealed class SubscriptionAttribute(string name) : Attribute
{
    /// <summary>The stored name.</summary>
    public string Name { get; } = name;
}
