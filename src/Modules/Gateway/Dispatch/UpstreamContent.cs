using System.Net;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>A request's body in pieces that are written one behind the other, so that a large one need not be put together.</summary>
internal sealed class UpstreamContent : HttpContent
{
    // Less than this is copied into one piece: one write instead of several.
    private const int Small = 64 * 1024;

    private readonly ReadOnlyMemory<byte>[] _pieces;
    private readonly long _length;

    public UpstreamContent(params ReadOnlyMemory<byte>[] pieces)
    {
        _length = pieces.Sum(static piece => (long)piece.Length);
        _pieces = pieces.Length > 1 && _length < Small ? [Together(pieces, (int)_length)] : pieces;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        foreach (var piece in _pieces)
            await stream.WriteAsync(piece, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    private static byte[] Together(ReadOnlyMemory<byte>[] pieces, int length)
    {
        var together = new byte[length];
        var at = 0;
        foreach (var piece in pieces)
        {
            piece.CopyTo(together.AsMemory(at));
            at += piece.Length;
        }
        return together;
    }
}
