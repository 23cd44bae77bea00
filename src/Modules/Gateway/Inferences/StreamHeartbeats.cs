using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>
/// Writes into streams that have been silent for a while what clients pass over, so that nothing between the two ends takes the connection for
/// dead: a comment, or the <c>ping</c> that Anthropic's clients know.
/// </summary>
internal sealed class StreamHeartbeats(TimeProvider time) : BackgroundService
{
    /// <summary>A silent stream gets a beat after three of these.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<StreamTurn, bool> _streams = new();

    /// <summary>Keeps a stream alive until the turn is disposed of.</summary>
    public StreamTurn Keep(IAnswerSink sink, CallerWire wire)
    {
        var turn = new StreamTurn(sink, wire, this);
        _streams[turn] = true;
        return turn;
    }

    /// <summary>A stream is over.</summary>
    public void Forget(StreamTurn turn) => _streams.TryRemove(turn, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Tick, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (turn, _) in _streams)
                turn.Beat();
        }
    }
}

/// <summary>Whose turn it is to write into a stream: the relay's, or the heartbeat's when the relay has nothing.</summary>
internal sealed class StreamTurn(IAnswerSink sink, CallerWire wire, StreamHeartbeats heartbeats) : IAsyncDisposable
{
    private const int SilentTicks = 3;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _ticks;

    /// <summary>Waits until nobody writes.</summary>
    public Task TakeAsync() => _turn.WaitAsync(CancellationToken.None);

    /// <summary>Something was written.</summary>
    public void Leave()
    {
        _ticks = 0;
        _turn.Release();
    }

    /// <summary>Returns at once, whatever the client does: one that does not read must not stop the others' beats.</summary>
    public void Beat()
    {
        if (!_turn.Wait(0))
            return;
        if (++_ticks < SilentTicks)
            _turn.Release();
        else
            _ = BeatAsync();
    }

    /// <summary>From now on there are no beats: the turn is taken and never given back. One may be looking at it just now, so it is not disposed of.</summary>
    public async ValueTask DisposeAsync()
    {
        heartbeats.Forget(this);
        await _turn.WaitAsync(CancellationToken.None);
    }

    private async Task BeatAsync()
    {
        try
        {
            sink.Writer.Write(
                wire.Operation == Operation.Messages
                    ? "event: ping\ndata: {\"type\":\"ping\"}\n\n"u8
                    : ": keep-alive\n\n"u8
            );
            await sink.Writer.FlushAsync(sink.Aborted);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The client is gone, which the relay learns by itself.
        }
        Leave();
    }
}
