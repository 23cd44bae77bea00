using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>An answer that is read when it is whole.</summary>
internal sealed class CollectedAnswer : IAnswerSink, IAsyncDisposable
{
    private readonly MemoryStream _body = new();
    private WireError? _error;
    private int _status = StatusCodes.Status200OK;

    public CollectedAnswer(CancellationToken aborted)
    {
        Aborted = aborted;
        Writer = PipeWriter.Create(_body, new StreamPipeWriterOptions(leaveOpen: true));
    }

    public CancellationToken Aborted { get; }

    public IHeaderDictionary Headers { get; } = new HeaderDictionary();

    public PipeWriter Writer { get; }

    /// <summary>The call's record.</summary>
    public Guid? InferenceId => AnswerHeaders.InferenceIdOf(Headers);

    /// <summary>What has come.</summary>
    public ReadOnlyMemory<byte> Body => _body.GetBuffer().AsMemory(0, (int)_body.Length);

    public void Begin(int status, string contentType, long? length) => _status = status;

    public void Abort() => throw new InvalidOperationException("A chat's answer ends with an error in its stream.");

    public Task FailAsync(WireError error)
    {
        _error = error;
        return Task.CompletedTask;
    }

    /// <exception cref="Contracts.ModelCallException">The answer is an error.</exception>
    public void ThrowIfFailed()
    {
        if (_error is not null)
            throw CallErrors.Of(_error, Headers.RetryAfter, InferenceId);
        if (_status >= 400)
            throw CallErrors.Of(_status, Body, Headers.RetryAfter, InferenceId);
    }

    public async ValueTask DisposeAsync()
    {
        await Writer.CompleteAsync();
        await _body.DisposeAsync();
    }
}

/// <summary>What the headers of an answer tell.</summary>
internal static class AnswerHeaders
{
    public static Guid? InferenceIdOf(IHeaderDictionary headers) =>
        Guid.TryParse(headers[InferenceCalls.InferenceIdHeader], out var id) ? id : null;
}
