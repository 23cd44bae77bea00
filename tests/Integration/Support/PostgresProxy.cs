using System.Net.Sockets;
using Npgsql;

namespace Verbatim.Tests.Integration.Support;

/// <summary>
/// Stands between a client and the server, and breaks connections where a test wants them broken: before a request arrives, or
/// after it was carried out but before the answer arrives.
/// </summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private readonly TemporaryHome _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stopping = new();
    private readonly string _server;
    private readonly List<Socket> _clients = [];
    private volatile Breakage _breakage;
    private int _unharmed;
    private TaskCompletionSource _broken = New();
    private TaskCompletionSource _released = New();
    private TaskCompletionSource _open = New();

    /// <param name="connectionString">Leads to a server by its Unix socket.</param>
    public PostgresProxy(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        _server = Path.Combine(settings.Host!, $".s.PGSQL.{settings.Port}");
        settings.Host = _folder.Path;
        settings.Port = 5432;
        ConnectionString = settings.ConnectionString;
        _listener.Bind(new UnixDomainSocketEndPoint(_folder.File(".s.PGSQL.5432")));
        _listener.Listen();
        Resume();
        _ = AcceptAsync();
    }

    internal enum Breakage
    {
        None,

        /// <summary>The connection breaks, and what the client sends next never arrives.</summary>
        OfRequest,

        /// <summary>What the client sends next is carried out; then the connection breaks.</summary>
        OfAnswer,

        /// <summary>The connection breaks for the client; what it sends next arrives when <see cref="ReleaseAsync"/> is called.</summary>
        LateRequest,
    }

    /// <summary>Leads to the server through here.</summary>
    public string ConnectionString { get; }

    /// <summary>What happens to the next thing that any client sends. The task ends when it has happened.</summary>
    /// <param name="breakage">What happens.</param>
    /// <param name="after">So many more things pass unharmed before.</param>
    public Task BreakNext(Breakage breakage, int after = 0)
    {
        _broken = New();
        _released = New();
        _unharmed = after;
        _breakage = breakage;
        return _broken.Task;
    }

    /// <summary>Lets what was late arrive, and waits until the server has dealt with it.</summary>
    public async Task ReleaseAsync()
    {
        _broken = New();
        _released.SetResult();
        await _broken.Task;
    }

    /// <summary>New connections wait until <see cref="Resume"/>; the present ones go on.</summary>
    public void Pause() => _open = New();

    public void Resume() => _open.SetResult();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        lock (_clients)
            _clients.ForEach(c => c.Dispose());
        _folder.Dispose();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync(_stopping.Token);
                lock (_clients)
                    _clients.Add(client);
                _ = RelayAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task RelayAsync(Socket client)
    {
        await _open.Task.WaitAsync(_stopping.Token);
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await server.ConnectAsync(new UnixDomainSocketEndPoint(_server), _stopping.Token);
        var answers = PumpAsync(server, client);
        var buffer = new byte[64 * 1024];
        try
        {
            while (await client.ReceiveAsync(buffer, _stopping.Token) is > 0 and var length)
            {
                var breakage = Interlocked.Decrement(ref _unharmed) < 0 ? _breakage : Breakage.None;
                if (breakage != Breakage.None)
                    _breakage = Breakage.None;
                switch (breakage)
                {
                    case Breakage.None:
                        await server.SendAsync(buffer.AsMemory(0, length), _stopping.Token);
                        break;
                    case Breakage.OfRequest:
                        client.Dispose();
                        _broken.SetResult();
                        return;
                    case Breakage.OfAnswer:
                        await CarryOutAsync(server, client, buffer.AsMemory(0, length));
                        _broken.SetResult();
                        return;
                    case Breakage.LateRequest:
                        var broken = _broken;
                        client.Dispose();
                        broken.SetResult();
                        await _released.Task.WaitAsync(_stopping.Token);
                        await CarryOutAsync(server, client, buffer.AsMemory(0, length));
                        _broken.SetResult();
                        return;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side has gone; so does the other.
        }
        finally
        {
            client.Dispose();
            server.Dispose();
            await answers;
        }
    }

    // The client side is closed first, so that the answer cannot reach it; then the server is read until it has ended the transaction.
    private async Task CarryOutAsync(Socket server, Socket client, ReadOnlyMemory<byte> request)
    {
        client.Dispose();
        await server.SendAsync(request, _stopping.Token);
        // The server carries out what came whole, then meets the end of the stream, even in the middle of a message.
        server.Shutdown(SocketShutdown.Send);
        await _drained.WaitAsync(_stopping.Token);
    }

    private readonly SemaphoreSlim _drained = new(0);

    private async Task PumpAsync(Socket server, Socket client)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await server.ReceiveAsync(buffer, _stopping.Token) is > 0 and var length)
            {
                try
                {
                    await client.SendAsync(buffer.AsMemory(0, length), _stopping.Token);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // Broken on purpose; the server is still heard out.
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end of the connection.
        }
        client.Dispose();
        _drained.Release();
    }
}
