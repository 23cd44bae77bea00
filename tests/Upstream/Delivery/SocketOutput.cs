using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>
/// An answer written past Kestrel, straight to the socket, for what a server cannot be made to do: headers that
/// trickle, any word in Connection, and a connection that breaks right after bytes which did arrive (Kestrel drops
/// what it still buffers). The connection ends with it.
/// </summary>
internal sealed class SocketOutput(Socket socket, TimeProvider time, int headerDelayMs) : IOutput
{
    private bool _isChunked;

    public async Task StartAsync(AnswerHead head, bool flush, CancellationToken cancellationToken)
    {
        _isChunked = head.HasBody && head.Length is null;
        var lines = new List<string>
        {
            string.Create(
                CultureInfo.InvariantCulture,
                $"HTTP/1.1 {head.Status} {ReasonPhrases.GetReasonPhrase(head.Status)}"
            ),
            // RFC 9110, 5.6.7; a date is what Kestrel would send too.
            string.Create(CultureInfo.InvariantCulture, $"Date: {time.GetUtcNow():R}"),
        };
        lines.AddRange(head.Headers.Select(static header => $"{header.Key}: {header.Value}"));
        if (_isChunked)
            lines.Add("Transfer-Encoding: chunked");
        else if (head.HasBody)
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {head.Length}"));
        lines.Add("");

        if (headerDelayMs is 0)
        {
            await SendAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n"), cancellationToken);
            return;
        }

        foreach (var line in lines)
        {
            // The delay falls into the middle of each line, so that a reader sees half a header.
            await SendAsync(Encoding.ASCII.GetBytes(line[..(line.Length / 2)]), cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(headerDelayMs), time, cancellationToken);
            await SendAsync(Encoding.ASCII.GetBytes(line[(line.Length / 2)..] + "\r\n"), cancellationToken);
        }
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!_isChunked)
        {
            await SendAsync(bytes, cancellationToken);
            return;
        }

        // One chunk of RFC 9112, 7.1, in one write.
        var size = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{bytes.Length:x}\r\n"));
        var chunk = new byte[size.Length + bytes.Length + 2];
        size.CopyTo(chunk, 0);
        bytes.Span.CopyTo(chunk.AsSpan(size.Length));
        "\r\n"u8.CopyTo(chunk.AsSpan(size.Length + bytes.Length));
        await SendAsync(chunk, cancellationToken);
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_isChunked)
            await SendAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }
}
