namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>An answer through Kestrel: it frames the body, and the connection lives on.</summary>
internal sealed class KestrelOutput(HttpContext context) : IOutput
{
    public async Task StartAsync(AnswerHead head, bool flush, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = head.Status;
        foreach (var (name, value) in head.Headers)
            context.Response.Headers.Append(name, value);
        context.Response.ContentLength = head.HasBody ? head.Length : null;
        await context.Response.StartAsync(cancellationToken);
        if (flush)
            await context.Response.BodyWriter.FlushAsync(cancellationToken);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        await context.Response.BodyWriter.WriteAsync(bytes, cancellationToken);

    public Task CompleteAsync(CancellationToken cancellationToken) => context.Response.CompleteAsync();
}
