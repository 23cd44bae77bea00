namespace Verbatim.Modules.Gateway.Wire;

/// <summary>
/// A provider's stream on its way to the caller, whichever wires are on its two sides: says for each event what the caller gets, and puts the
/// whole answer together for the record. Never throws on what a provider sends.
/// </summary>
internal abstract class AnswerStream : IDisposable
{
    /// <summary>How many events of the answer have come; an error counts, comments and keep-alives do not.</summary>
    public abstract int Chunks { get; }

    /// <summary>
    /// Nothing of the answer's content is missing. What an event brings that makes this true, and all behind it, the relay holds back until the
    /// outcome is on record.
    /// </summary>
    public abstract bool IsComplete { get; }

    /// <summary>The wire's own end has come (<c>[DONE]</c>, <c>message_stop</c>, <c>response.completed</c>): nothing more is read.</summary>
    public abstract bool IsDone { get; }

    /// <summary>The provider said in the stream that it failed.</summary>
    public abstract bool HasError { get; }

    /// <summary>What the provider said when it failed, with the status that a whole answer would have had; null while it has not.</summary>
    public abstract WireError? Error { get; }

    /// <summary>What the provider counted so far; null when it said nothing.</summary>
    public abstract TokenUsage? Usage { get; }

    /// <summary>Takes the provider's next event.</summary>
    /// <returns>The bytes that the caller gets for it, as whole events of the caller's wire; empty for none. Valid until the next call.</returns>
    public abstract ReadOnlyMemory<byte> Relay(in SseEvent sse);

    /// <summary>
    /// The provider's connection has ended and no more comes. Where only the wire's own end mark was missing, the caller still gets the end of its own
    /// wire.
    /// </summary>
    /// <returns>As <see cref="Relay"/> does; empty when nothing is missing, or when the answer broke off before it was complete.</returns>
    public virtual ReadOnlyMemory<byte> End() => default;

    /// <summary>The answer so far, as the caller would have got it without streaming: JSON in UTF-8 whatever has come.</summary>
    public abstract byte[] ToArray();

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected abstract void Dispose(bool disposing);
}
