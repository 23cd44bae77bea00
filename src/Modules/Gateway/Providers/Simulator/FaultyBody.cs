namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>An answer that is not streamed, and of which only the first bytes come.</summary>
/// <param name="body">The whole answer.</param>
/// <param name="options">After how many bytes it is cut or stalls.</param>
/// <param name="time">The clock.</param>
internal sealed class FaultyBody(ReadOnlyMemory<byte> body, SimulatorOptions options, TimeProvider time)
    : SimulatedBody(time)
{
    private readonly ReadOnlyMemory<byte> _body = body;
    private readonly SimulatorOptions _options = options;
    private int _given;

    protected override ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_given == _options.CutAfter)
            throw Cut();
        if (_given == _options.StallAfter)
            return StallAsync(cancellationToken);
        var until = Math.Min(_options.CutAfter ?? _body.Length, _options.StallAfter ?? _body.Length);
        var rest = _body[_given..Math.Min(until, _body.Length)];
        var length = Math.Min(rest.Length, buffer.Length);
        rest[..length].CopyTo(buffer);
        _given += length;
        return ValueTask.FromResult(length);
    }
}
