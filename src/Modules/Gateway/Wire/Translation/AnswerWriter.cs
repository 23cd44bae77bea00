using System.Buffers.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Writes an answer on the caller's wire, event by event while it comes or as a whole.</summary>
internal abstract class AnswerWriter : IDisposable
{
    private PooledBytes _output;

    /// <summary>What the caller gets for the provider's event. Valid until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Output => _output.Memory;

    public void Clear() => _output.Truncate(0);

    /// <summary>The answer begins.</summary>
    public abstract void Start(Answer answer);

    /// <summary>A part begins.</summary>
    public abstract void Begin(Answer answer, AnswerPart part);

    /// <summary>More of a part has come; it is in the part already.</summary>
    public abstract void Delta(Answer answer, AnswerPart part, ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> logprobs);

    /// <summary>A text has a citation more, its last one.</summary>
    public abstract void Cite(Answer answer, AnswerPart part, Citation citation);

    /// <summary>A part is whole.</summary>
    public abstract void End(Answer answer, AnswerPart part);

    /// <summary>Why the answer ends is known; the usage may still come.</summary>
    public abstract void Finish(Answer answer);

    /// <summary>The answer is whole, its usage too.</summary>
    public abstract void Complete(Answer answer);

    /// <summary>The provider failed behind the beginning.</summary>
    public abstract void Fail(Answer answer, WireError error);

    /// <summary>The answer so far as it would have come without streaming.</summary>
    public abstract void WriteWhole(Answer answer);

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    protected void Write(ReadOnlySpan<byte> bytes) => _output.Append(bytes);

    protected void Write(long number)
    {
        Span<byte> digits = stackalloc byte[20];
        _ = Utf8Formatter.TryFormat(number, digits, out var written);
        _output.Append(digits[..written]);
    }

    /// <summary>A string in quotes.</summary>
    protected void WriteString(ReadOnlySpan<byte> escaped)
    {
        _output.Append("\""u8);
        _output.Append(escaped);
        _output.Append("\""u8);
    }
}
