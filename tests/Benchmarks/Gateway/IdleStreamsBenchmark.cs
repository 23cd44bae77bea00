using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>What a stream costs in memory that has begun and says nothing: callers wait long for models that think.</summary>
internal sealed class IdleStreamsBenchmark(int streams)
{
    private const string Body =
        """{"model":"gpt-fake","messages":[{"role":"user","content":"Think."}],"stream":true,"x_upstream":{"chunks":10,"stall_after":3}}""";

    public async Task RunAsync(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var port = Server.FreePort();
        await using var upstream = await Peers.StartUpstreamAsync(folder.Path, port);
        await using var verbatim = await VerbatimServer.StartAsync(
            folder.Home,
            Path.Combine(folder.Path, "verbatim.log"),
            port
        );
        // Code is compiled and pools are filled before anything is counted.
        await Wrk.RunAsync(
            verbatim.Target("warm-up", "v1/chat/completions"),
            """{"model":"gpt-fake","messages":[{"role":"user","content":"Hello!"}],"stream":true}""",
            32,
            TimeSpan.FromSeconds(5)
        );
        await Task.Delay(TimeSpan.FromSeconds(5));
        var before = verbatim.Process.ResidentMegabytes;

        var connections = new List<Socket>();
        try
        {
            while (connections.Count < streams)
            {
                var opened = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => OpenAsync(verbatim)));
                connections.AddRange(opened);
            }
            await Task.Delay(TimeSpan.FromSeconds(5));
            var during = verbatim.Process.ResidentMegabytes;
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{connections.Count:N0} streams that have begun and are silent: {before:N0} MB before, {during:N0} MB with them, {(during - before) * 1024 / connections.Count:0.0} KB each."
                )
            );
        }
        finally
        {
            foreach (var connection in connections)
                connection.Dispose();
        }
    }

    private static async Task<Socket> OpenAsync(VerbatimServer verbatim)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, verbatim.Address.Port));
        await socket.SendAsync(
            Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {verbatim.ApiKey}\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"
                )
            )
        );
        var buffer = new byte[4096];
        var text = "";
        while (!text.Contains("data: ", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer);
            if (read == 0)
                throw new InvalidOperationException($"The stream ended at once:\n{text}");
            text += Encoding.UTF8.GetString(buffer, 0, read);
        }
        return socket;
    }
}
