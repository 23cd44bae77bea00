using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Verbatim.Tests.Upstream.Anthropic;
using Verbatim.Tests.Upstream.Azure;
using Verbatim.Tests.Upstream.OpenAi;
using Verbatim.Tests.Upstream.Raw;
using Verbatim.Tests.Upstream.Responses;

namespace Verbatim.Tests.Upstream;

/// <summary>
/// A model provider on a real loopback port that speaks the OpenAI wire and misbehaves on command (README.md beside
/// this file lists the commands). Kestrel runs bare, without host, routing or logging: a test starts one in
/// milliseconds, and a benchmark measures the gateway rather than this.
/// </summary>
public sealed class FakeProvider : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly CancellationTokenSource _stopping;
    private bool _isDisposed;

    private FakeProvider(KestrelServer server, CancellationTokenSource stopping, RequestLog requests, Uri baseAddress)
    {
        _server = server;
        _stopping = stopping;
        Requests = requests;
        BaseAddress = baseAddress;
    }

    /// <summary>What an SDK takes as its base URL: <c>http://127.0.0.1:{port}/v1/</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The root of the host, from which clients of Anthropic and of Azure count: <c>http://127.0.0.1:{port}/</c>.</summary>
    public Uri RootAddress => new(BaseAddress, "/");

    /// <summary>What it received. Empty when <see cref="FakeProviderOptions.Record"/> is off.</summary>
    public RequestLog Requests { get; }

    /// <summary>Starts a provider; it answers when the task completes.</summary>
    public static async Task<FakeProvider> StartAsync(
        FakeProviderOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        options ??= new FakeProviderOptions();
        var kestrel = new KestrelServerOptions
        {
            AddServerHeader = false,
            // Some providers send what no header may contain.
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
        };
        kestrel.Listen(options.Listen, static listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Limits.MaxRequestBodySize = null;
        // Slow clients and stalled answers are what this server is for.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        // With no response buffer a flush returns when the kernel has the bytes, so a recorded event was really sent
        // and every split is a write of its own. Under load the buffer stays: it halves the system calls.
        if (options.Record)
            kestrel.Limits.MaxResponseBufferSize = 0;

        var requests = new RequestLog();
        var stopping = new CancellationTokenSource();
        var server = new KestrelServer(
            Options.Create(kestrel),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance
        );
        try
        {
            var application = new ProviderApplication(
                [
                    new AnthropicWire(options.Record),
                    new ResponsesWire(options.Record),
                    new RawWire(options.Record),
                    new AzureWire(options.Record),
                    new OpenAiWire(options.Record),
                ],
                options.Record ? requests : null,
                options.Time,
                stopping.Token
            );
            await server.StartAsync(application, cancellationToken);
        }
        catch
        {
            server.Dispose();
            stopping.Dispose();
            throw;
        }

        var address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
        return new FakeProvider(
            server,
            stopping,
            requests,
            new Uri(string.Create(CultureInfo.InvariantCulture, $"{address}/v1/"))
        );
    }

    /// <summary>Stops at once: answers that stall or wait for a release are cut.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await _stopping.CancelAsync();
        using var noGrace = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(noGrace.Token);
        _server.Dispose();
        _stopping.Dispose();
    }
}
