using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging;

/// <summary>What a handler gets beside the event itself.</summary>
/// <param name="Recorded">The event as it stands in the log.</param>
/// <param name="Transaction">
/// The transaction that also moves the subscription's checkpoint: what a handler writes through its connection happens exactly once.
/// </param>
public sealed record Message(RecordedEvent Recorded, NpgsqlTransaction Transaction)
{
    /// <summary>
    /// The table, with its schema, that a <see cref="ProjectionAttribute">projection</see> is to write to; empty for another subscription.
    /// </summary>
    public string Table { get; init; } = "";

    internal MessageBatches? Batches { get; init; }

    /// <summary>
    /// What the messages of this transaction write together: made for the first that asks, and written behind the last of them. So a thousand
    /// events cost one statement. When it fails, the events are handled again one by one, and the one at fault is found.
    /// </summary>
    /// <param name="create">Makes an empty one.</param>
    public T Together<T>(Func<T> create)
        where T : class, IMessageBatch
    {
        ArgumentNullException.ThrowIfNull(create);
        return (
            Batches ?? throw new InvalidOperationException("This message was not delivered by a subscription.")
        ).Get(create);
    }
}

/// <summary>What several messages of a subscription write together.</summary>
public interface IMessageBatch
{
    /// <summary>Writes what was gathered.</summary>
    /// <param name="transaction">The messages' transaction.</param>
    /// <param name="cancellationToken">Ends the writing; all of it is done again.</param>
    Task WriteAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken);
}

/// <summary>The batches of one transaction.</summary>
internal sealed class MessageBatches
{
    private List<IMessageBatch>? _batches;

    public T Get<T>(Func<T> create)
        where T : class, IMessageBatch
    {
        foreach (var batch in _batches ?? [])
        {
            if (batch is T found)
                return found;
        }
        var created = create();
        (_batches ??= []).Add(created);
        return created;
    }

    public async Task WriteAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        foreach (var batch in _batches ?? [])
            await batch.WriteAsync(transaction, cancellationToken);
    }
}
