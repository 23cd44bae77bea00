using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>Holds a response back, its head too, until it is kept. An endpoint that starts the response starts nothing.</summary>
internal sealed class HeldResponseBody : IHttpResponseBodyFeature, IDisposable
{
    private readonly MemoryStream _body = new();

    public HeldResponseBody() => Writer = PipeWriter.Create(_body, new StreamPipeWriterOptions(leaveOpen: true));

    public Stream Stream => _body;

    public PipeWriter Writer { get; }

    public void DisableBuffering() { }

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(_body, path, offset, count, cancellationToken);

    public async Task CompleteAsync() => await Writer.CompleteAsync();

    /// <summary>What was written, once it is complete.</summary>
    public byte[] ToArray() => _body.ToArray();

    public void Dispose() => _body.Dispose();
}
