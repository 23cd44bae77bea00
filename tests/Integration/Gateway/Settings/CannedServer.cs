using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Verbatim.Tests.Integration.Gateway.Settings;

/// <summary>Gives every request the same answer: something at an address that is no provider, or that refuses as one does.</summary>
internal sealed class CannedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly byte[] _answer;
    private readonly Task _accepting;

    public CannedServer(int status, string contentType, string body)
    {
        _answer = Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"HTTP/1.1 {status} Canned\r\nContent-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}"
            )
        );
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using var socket = await _listener.AcceptSocketAsync(_stopping.Token);
                var head = new StringBuilder();
                var buffer = new byte[4096];
                while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    var read = await socket.ReceiveAsync(buffer, _stopping.Token);
                    if (read == 0)
                        break;
                    head.Append(Encoding.Latin1.GetString(buffer, 0, read));
                }
                await socket.SendAsync(_answer, _stopping.Token);
                socket.Shutdown(SocketShutdown.Send);
                // Until the client has closed too, or what it still sends would take the answer away from it.
                while (await socket.ReceiveAsync(buffer, _stopping.Token) > 0) { }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }
}
