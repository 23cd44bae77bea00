using System.Buffers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;
using Verbatim.Tests.Upstream.Commands;
using Verbatim.Tests.Upstream.Delivery;

namespace Verbatim.Tests.Upstream;

/// <summary>What Kestrel calls for each request: read it, let its wire answer, send that.</summary>
internal sealed class ProviderApplication(
    IReadOnlyList<IWire> wires,
    RequestLog? log,
    TimeProvider time,
    CancellationToken stopping
) : IHttpApplication<DefaultHttpContext>
{
    private readonly AttemptCounter? _attempts = log is null ? null : new AttemptCounter();
    private readonly StampSource _stamps = new(time);

    public DefaultHttpContext CreateContext(IFeatureCollection contextFeatures)
    {
        // Kestrel keeps one context per connection for us.
        if (contextFeatures is not IHostContextContainer<DefaultHttpContext> connection)
            return new DefaultHttpContext(contextFeatures);
        var context = connection.HostContext ??= new DefaultHttpContext();
        context.Initialize(contextFeatures);
        return context;
    }

    public void DisposeContext(DefaultHttpContext context, Exception? exception)
    {
        context.Uninitialize();
        // There is no logger, and a bug of this provider must not look like a fault that a test asked for.
        if (exception is not (null or IOException or BadHttpRequestException))
            Console.Error.WriteLine(exception);
    }

    public async Task ProcessRequestAsync(DefaultHttpContext context)
    {
        var body = await ReadBodyAsync(context.Request);
        var record = log is null ? null : Record(context, body.ToArray());
        var stamp = _stamps.Next();
        var reply = Respond(context.Request, body, stamp, out var wire);
        context.Request.BodyReader.AdvanceTo(body.End);
        stamp = reply.Stamp ?? stamp;
        if (record is null && reply.Commands.SendsPlainly)
            await PlainSender.SendAsync(context, reply.Answer, stamp);
        else
            await SendAsync(context, reply, wire, record, stamp);
    }

    private static async ValueTask<ReadOnlySequence<byte>> ReadBodyAsync(HttpRequest request)
    {
        while (true)
        {
            var result = await request.BodyReader.ReadAsync();
            if (result.IsCompleted)
                return result.Buffer;
            request.BodyReader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private ReceivedRequest Record(HttpContext context, byte[] body)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var record = new ReceivedRequest(
            time,
            context.Connection.Id,
            context.Request.Method,
            target,
            context.Request.Headers,
            body
        );
        context.RequestAborted.UnsafeRegister(
            static state => ((ReceivedRequest)state!).Finish(ExchangeOutcome.ClientLeft),
            record
        );
        log!.Add(record);
        return record;
    }

    private Reply Respond(HttpRequest http, ReadOnlySequence<byte> body, Stamp stamp, out IWire wire)
    {
        var request = new WireRequest
        {
            Method = http.Method,
            Path = http.Path.Value ?? "/",
            Query = http.QueryString.Value ?? "",
            Headers = http.Headers,
            Body = body.IsSingleSegment ? body.FirstSpan : body.ToArray(),
            Stamp = stamp,
            Attempts = _attempts,
        };
        wire = wires[^1];
        foreach (var candidate in wires)
        {
            if (!candidate.Serves(request))
                continue;
            wire = candidate;
            break;
        }

        return wire.Respond(request);
    }

    private async Task SendAsync(HttpContext context, Reply reply, IWire wire, ReceivedRequest? record, Stamp stamp)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await new Courier(context, reply, wire.ProviderHeaders, record, time).SendAsync(stamp, ends.Token);
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The socket of a connection that has gone is disposed under its answer.
            record?.Finish(stopping.IsCancellationRequested ? ExchangeOutcome.Stopped : ExchangeOutcome.ClientLeft);
            context.Abort();
        }
    }
}
