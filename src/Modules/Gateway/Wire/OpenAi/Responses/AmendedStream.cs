using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Modules.Gateway.Wire.Translation.Responses;

namespace Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

/// <summary>A stream of a response's events, in which the responses are amended. All other events stay as they are.</summary>
internal sealed class AmendedStream(AnswerStream inner, ResponseAmendments amendments) : AnswerStream
{
    private PooledBytes _output;

    public override int Chunks => inner.Chunks;

    public override bool IsComplete => inner.IsComplete;

    public override bool IsDone => inner.IsDone;

    public override bool HasError => inner.HasError;

    public override WireError? Error => inner.Error;

    public override TokenUsage? Usage => inner.Usage;

    public override ReadOnlyMemory<byte> Relay(in SseEvent sse) => Amend(inner.Relay(sse));

    public override ReadOnlyMemory<byte> End() => Amend(inner.End());

    public override byte[] ToArray() => amendments.Amend(inner.ToArray()).ToArray();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        _output.Dispose();
    }

    private ReadOnlyMemory<byte> Amend(ReadOnlyMemory<byte> events)
    {
        if (events.Span.IndexOf("\"response\""u8) < 0)
            return events;
        _output.Truncate(0);
        using var reader = new SseReader();
        reader.Feed(events);
        while (reader.TryRead(out var sse))
            Append(sse);
        if (reader.TryReadRemainder(out var cut))
            Append(cut);
        return _output.Memory;
    }

    private void Append(in SseEvent sse)
    {
        if (!sse.HasData || !JsonObjects.IsWellFormed(sse.Data.Span))
        {
            _output.Append(sse.Raw.Span);
            return;
        }
        var data = sse.Data;
        var members = ResponsesEventMembers.Read(data.Span);
        if (members.Response is not [(byte)'{', ..])
        {
            _output.Append(sse.Raw.Span);
            return;
        }
        var response = amendments.Amend(members.Response.ToArray());
        ResponseEvents.Write(
            ref _output,
            members.Type.IsEmpty ? sse.Name.Span : members.Type,
            JsonMembers.With(data.Span, new JsonMember("response", response))
        );
    }
}
