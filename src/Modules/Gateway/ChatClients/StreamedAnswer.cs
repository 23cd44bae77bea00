using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>
/// An answer that is read while it comes. Who reads slowly slows the provider down, as over HTTP: the pipe between them holds a bounded part.
/// </summary>
internal sealed class StreamedAnswer : IAnswerSink
{
    private readonly Pipe _pipe = new();
    private readonly CancellationTokenSource _left;
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WireError? _error;
    private int _status = StatusCodes.Status200OK;

    public StreamedAnswer(CancellationToken aborted)
    {
        _left = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        Aborted = _left.Token;
    }

    public CancellationToken Aborted { get; }

    public IHeaderDictionary Headers { get; } = new HeaderDictionary();

    public PipeWriter Writer => _pipe.Writer;

    /// <summary>The call's record.</summary>
    public Guid? InferenceId => AnswerHeaders.InferenceIdOf(Headers);

    /// <summary>What comes are events.</summary>
    public bool IsStream { get; private set; }

    public void Begin(int status, string contentType, long? length)
    {
        _status = status;
        IsStream = status < 400 && contentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);
        _begun.TrySetResult();
    }

    public void Abort() => throw new InvalidOperationException("A chat's answer ends with an error in its stream.");

    public Task FailAsync(WireError error)
    {
        _error = error;
        _begun.TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>Waits until it is known what comes, or until nobody waits any more: the call itself may go on without.</summary>
    public Task BegunAsync() => _begun.Task.WaitAsync(Aborted);

    /// <summary>The call is over.</summary>
    public async Task EndAsync(Exception? failure)
    {
        await _pipe.Writer.CompleteAsync(failure);
        if (failure is null)
            _begun.TrySetResult();
        else
            _begun.TrySetException(failure);
    }

    /// <summary>Nobody reads any more. A call that has not ended is cancelled.</summary>
    public async Task LeaveAsync()
    {
        await _left.CancelAsync();
        _left.Dispose();
        await _pipe.Reader.CompleteAsync();
    }

    /// <summary>All that comes.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadAllAsync()
    {
        while (true)
        {
            var read = await _pipe.Reader.ReadAsync(Aborted);
            if (read.IsCompleted)
                return read.Buffer.ToArray();
            _pipe.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>The data of each event, up to the end mark. Valid until the next.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEventsAsync()
    {
        using var events = new SseReader();
        while (true)
        {
            var read = await _pipe.Reader.ReadAsync(Aborted);
            foreach (var chunk in read.Buffer)
            {
                events.Feed(chunk);
                while (events.TryRead(out var sse))
                {
                    if (sse.HasData && !sse.Data.Span.SequenceEqual("[DONE]"u8))
                        yield return sse.Data;
                }
            }
            _pipe.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                yield break;
        }
    }

    /// <exception cref="Contracts.ModelCallException">The answer is an error.</exception>
    public void ThrowIfFailed(ReadOnlyMemory<byte> body)
    {
        if (_error is not null)
            throw CallErrors.Of(_error, Headers.RetryAfter, InferenceId);
        if (_status >= 400)
            throw CallErrors.Of(_status, body, Headers.RetryAfter, InferenceId);
    }
}
