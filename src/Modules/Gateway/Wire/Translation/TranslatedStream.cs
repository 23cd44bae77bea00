namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>A stream whose two sides speak different wires.</summary>
internal sealed class TranslatedStream(Answer answer, AnswerReader reader, AnswerWriter writer) : AnswerStream
{
    public override int Chunks => reader.Events;

    public override bool IsComplete => answer.Reason != FinishReason.None;

    public override bool IsDone => reader.IsDone;

    public override bool HasError => answer.Error is not null;

    public override WireError? Error => answer.Error;

    public override TokenUsage? Usage => answer.Usage;

    public override ReadOnlyMemory<byte> Relay(in SseEvent sse)
    {
        writer.Clear();
        reader.Read(sse);
        return writer.Output;
    }

    public override ReadOnlyMemory<byte> End()
    {
        writer.Clear();
        reader.End();
        return writer.Output;
    }

    public override byte[] ToArray()
    {
        writer.Clear();
        writer.WriteWhole(answer);
        var whole = writer.Output.ToArray();
        writer.Clear();
        return whole;
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        answer.Dispose();
        reader.Dispose();
        writer.Dispose();
    }
}
