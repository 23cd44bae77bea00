namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Reads an answer on the provider's wire. Never throws on what a provider sends.</summary>
/// <param name="answer">Where it is put.</param>
internal abstract class AnswerReader(Answer answer) : IDisposable
{
    /// <summary>The wire's own end has come.</summary>
    public bool IsDone { get; protected set; }

    /// <summary>How many events of the answer have come.</summary>
    public int Events { get; protected set; }

    protected Answer Answer { get; } = answer;

    /// <summary>Reads the next event of a stream.</summary>
    public abstract void Read(in SseEvent sse);

    /// <summary>The stream has ended; where its own end mark is missing, what has come may be whole nevertheless.</summary>
    public abstract void End();

    /// <summary>Reads a whole answer.</summary>
    /// <returns>False when it is none of this wire.</returns>
    public abstract bool TryReadWhole(ReadOnlySpan<byte> body);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    protected virtual void Dispose(bool disposing) { }
}
