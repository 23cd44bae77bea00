using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Inferences;

public sealed class StreamHeartbeatsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, ": keep-alive\n\n")]
    [InlineData(true, "event: ping\ndata: {\"type\":\"ping\"}\n\n")]
    public async Task A_silent_stream_gets_a_beat_in_its_callers_wire(bool anthropic, string beat)
    {
        var time = new ManualTime();
        using var heartbeats = new StreamHeartbeats(time);
        var sink = new PipeSink();
        await using var turn = heartbeats.Keep(sink, anthropic ? CallerWire.Messages : CallerWire.ChatCompletions);

        turn.Beat();
        turn.Beat();
        Assert.False(sink.Pipe.Reader.TryRead(out _));
        turn.Beat();

        Assert.Equal(beat, await sink.ReadAsync(Cancellation));
    }

    [Fact]
    public async Task Who_has_just_written_is_not_silent()
    {
        using var heartbeats = new StreamHeartbeats(new ManualTime());
        var sink = new PipeSink();
        await using var turn = heartbeats.Keep(sink, CallerWire.ChatCompletions);

        for (var i = 0; i < 5; i++)
        {
            turn.Beat();
            turn.Beat();
            await turn.TakeAsync();
            turn.Leave();
        }

        Assert.False(sink.Pipe.Reader.TryRead(out _));
    }

    [Fact]
    public async Task While_the_relay_writes_nothing_comes_between()
    {
        using var heartbeats = new StreamHeartbeats(new ManualTime());
        var sink = new PipeSink();
        await using var turn = heartbeats.Keep(sink, CallerWire.ChatCompletions);

        await turn.TakeAsync();
        for (var i = 0; i < 10; i++)
            turn.Beat();
        Assert.False(sink.Pipe.Reader.TryRead(out _));
        turn.Leave();
    }

    [Fact]
    public async Task A_stream_that_has_just_ended_gets_no_beat_and_stops_nobody()
    {
        using var heartbeats = new StreamHeartbeats(new ManualTime());
        var sink = new PipeSink();
        var turn = heartbeats.Keep(sink, CallerWire.ChatCompletions);
        await turn.DisposeAsync();

        // As the beats may, which saw it among the streams a moment before.
        for (var i = 0; i < 10; i++)
            turn.Beat();

        Assert.False(sink.Pipe.Reader.TryRead(out _));
    }

    private sealed class PipeSink : IAnswerSink
    {
        public Pipe Pipe { get; } = new();

        public CancellationToken Aborted => CancellationToken.None;

        public IHeaderDictionary Headers { get; } = new HeaderDictionary();

        public PipeWriter Writer => Pipe.Writer;

        public void Begin(int status, string contentType, long? length) { }

        public void Abort() { }

        public Task FailAsync(WireError error) => Task.CompletedTask;

        public async Task<string> ReadAsync(CancellationToken cancellationToken)
        {
            var read = await Pipe.Reader.ReadAsync(cancellationToken);
            return Encoding.UTF8.GetString(read.Buffer);
        }
    }
}
