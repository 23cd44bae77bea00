using System.Buffers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>Sends one answer as its commands ask, and records what was sent.</summary>
internal sealed class Courier
{
    private readonly HttpContext _context;
    private readonly Answer _answer;
    private readonly CommandSet _commands;
    private readonly IReadOnlyList<KeyValuePair<string, string>> _providerHeaders;
    private readonly StopPoints _stops;
    private readonly Pieces _pieces;
    private readonly Socket _socket;
    private readonly bool _bypassesKestrel;
    private readonly IOutput _output;
    private readonly ArrayBufferWriter<byte> _burst = new();
    private readonly ReceivedRequest? _record;
    private readonly TimeProvider _time;
    private long _offset;
    private int _unrecordedEvents;

    public Courier(
        HttpContext context,
        Reply reply,
        IReadOnlyList<KeyValuePair<string, string>> providerHeaders,
        ReceivedRequest? record,
        TimeProvider time
    )
    {
        _context = context;
        _providerHeaders = providerHeaders;
        _answer = reply.Answer;
        _commands = reply.Commands;
        _stops = StopPoints.Of(_commands);
        _pieces = new Pieces(_commands.SplitEvery, _commands.SplitAt);
        _record = record;
        _time = time;
        _socket = context.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
        _bypassesKestrel = _stops.BreakTheConnection || _commands.HeaderDelayMs > 0 || _commands.HopHeaders;
        _output = _bypassesKestrel
            ? new SocketOutput(_socket, time, _commands.HeaderDelayMs)
            : new KestrelOutput(context);
    }

    /// <summary>Returns when nothing more will be sent; a client that goes away ends it like the token.</summary>
    public async Task SendAsync(Stamp stamp, CancellationToken cancellationToken)
    {
        if (await StopAsync(Position.Request, cancellationToken))
            return;
        await DelayAsync(_commands.DelayMs, cancellationToken);

        var start = new Position(0, 0);
        var head = Head(stamp);
        _record?.Start(head.Status);
        await _output.StartAsync(head, flush: _stops.At(start).Any(), cancellationToken);

        for (var index = 0; index < _answer.Parts.Length; index++)
        {
            if (await StopAsync(new Position(index, 0), cancellationToken))
                return;
            if (index > 0)
                await DelayAsync(_commands.ChunkDelayMs, cancellationToken);
            if (await SendPartAsync(index, stamp, cancellationToken))
                return;
        }

        if (await StopAsync(new Position(_answer.Parts.Length, 0), cancellationToken))
            return;
        await FinishAsync(cancellationToken);
    }

    private AnswerHead Head(Stamp stamp)
    {
        var headers = Headers.Of(_answer, _commands, _providerHeaders, stamp);
        // The socket is closed after it, and an honest server says so.
        if (_bypassesKestrel && !_stops.BreakTheConnection)
            headers.Add(new("connection", "close"));
        var chunked = _answer.IsStream || _commands.Chunked || _commands.EndAfter is not null;
        return new AnswerHead(_answer.Status, headers, chunked ? null : _answer.Length);
    }

    /// <summary>True when the answer is over.</summary>
    private async Task<bool> SendPartAsync(int index, Stamp stamp, CancellationToken cancellationToken)
    {
        var part = _answer.Parts[index];
        var bytes = new byte[part.Bytes.Length];
        part.CopyTo(bytes, stamp);

        var sent = 0;
        foreach (var stop in _stops.Inside(index))
        {
            await WriteAsync(bytes.AsMemory(sent..stop), cancellationToken);
            sent = stop;
            if (await StopAsync(new Position(index, stop), cancellationToken))
                return true;
        }

        await WriteAsync(bytes.AsMemory(sent), cancellationToken);
        _unrecordedEvents++;
        if (!_commands.Burst)
            RecordEvents();
        return false;
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_commands.Burst)
            _burst.Write(bytes.Span);
        else
            await WritePiecesAsync(bytes, cancellationToken);
    }

    private async Task WriteBurstAsync(CancellationToken cancellationToken)
    {
        await WritePiecesAsync(_burst.WrittenMemory, cancellationToken);
        _burst.ResetWrittenCount();
        RecordEvents();
    }

    private async Task WritePiecesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var done = 0;
        foreach (var length in _pieces.Of(_offset, bytes.Length))
        {
            if (_offset > 0 || done > 0)
                await DelayAsync(_commands.SplitDelayMs, cancellationToken);
            var piece = bytes.Slice(done, length);
            await _output.WriteAsync(piece, cancellationToken);
            // Kestrel takes bytes for a connection that has gone without a word.
            cancellationToken.ThrowIfCancellationRequested();
            _record?.Wrote(piece.Span);
            done += length;
        }

        _offset += done;
    }

    /// <summary>Does what the commands ask at a position. True when the answer is over.</summary>
    private async Task<bool> StopAsync(Position position, CancellationToken cancellationToken)
    {
        foreach (var stop in _stops.At(position))
        {
            await WriteBurstAsync(cancellationToken);
            switch (stop)
            {
                case Stop.Hold:
                    await _record!.HoldAsync(cancellationToken);
                    break;
                case Stop.Stall:
                    await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
                    break;
                case Stop.End:
                    await FinishAsync(cancellationToken);
                    return true;
                case Stop.Close:
                    _record?.Finish(ExchangeOutcome.Cut);
                    await CloseAsync(cancellationToken);
                    return true;
                case Stop.Cut:
                    _record?.Finish(ExchangeOutcome.Cut);
                    Reset();
                    return true;
                default:
                    throw new InvalidOperationException($"no such stop: {stop}");
            }
        }

        return false;
    }

    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        await WriteBurstAsync(cancellationToken);
        await _output.CompleteAsync(cancellationToken);
        _record?.Finish(ExchangeOutcome.Answered);
        if (_bypassesKestrel)
            await CloseAsync(cancellationToken);
    }

    /// <summary>FIN, as by a server that exits in order; then waits for the client, whose unread bytes a reset would drop.</summary>
    private async Task CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            await Task.Delay(TimeSpan.FromSeconds(5), _time, cancellationToken);
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client has closed its side too, maybe first.
        }

        _context.Abort();
    }

    /// <summary>RST, as by a server that crashes.</summary>
    private void Reset()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _context.Abort();
    }

    private void RecordEvents()
    {
        if (_unrecordedEvents > 0)
            _record?.WroteEvents(_unrecordedEvents);
        _unrecordedEvents = 0;
    }

    private Task DelayAsync(int milliseconds, CancellationToken cancellationToken) =>
        milliseconds is 0
            ? Task.CompletedTask
            : Task.Delay(TimeSpan.FromMilliseconds(milliseconds), _time, cancellationToken);
}
