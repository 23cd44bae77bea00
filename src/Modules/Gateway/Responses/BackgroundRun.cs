using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Modules.Gateway.Wire.Translation.Responses;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// One response that is made in the background: where its call's answer goes. Of a stream it keeps the events, under numbers of its own, from the
/// first that it says by itself on; the one that ends it is said by <see cref="BackgroundResponses"/> once the outcome is on record.
/// </summary>
internal sealed class BackgroundRun : IAnswerSink, IDisposable
{
    private readonly OutputLog _log;
    private readonly SseReader _events = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly TaskCompletionSource<WireError?> _started = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private bool _keepsEvents;
    private int _next;

    public BackgroundRun(OutputLog log, InferenceCaller caller, WireRequest asked)
    {
        _log = log;
        Caller = caller;
        Asked = asked;
        Aborted = _stopped.Token;
        Writer = new EventWriter(TakeAsync);
    }

    /// <summary>Who asked for it.</summary>
    public InferenceCaller Caller { get; }

    /// <summary>What they asked for.</summary>
    public WireRequest Asked { get; }

    /// <summary>What it calls itself, once it has started.</summary>
    public AnswerIdentity Identity { get; private set; }

    /// <summary>Its id.</summary>
    public string Id => IdOf(Identity.Id);

    /// <summary>What is left out of it at its provider, where the caller agreed to that.</summary>
    public string? Warning { get; private set; }

    /// <summary>Done when its intent is durable, with null; or when it was refused before, with why.</summary>
    public Task<WireError?> Started => _started.Task;

    /// <summary>Its end, whatever it is.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    public CancellationToken Aborted { get; }

    public IHeaderDictionary Headers { get; } = new HeaderDictionary();

    public PipeWriter Writer { get; }

    public static string IdOf(Guid inferenceId) => $"resp_{inferenceId:N}";

    /// <summary>The person whose key seals the output.</summary>
    public Guid SubjectOf(AnswerIdentity identity) => Caller.Context.Subject ?? identity.Id;

    public void Begin(int status, string contentType, long? length) =>
        _keepsEvents = Asked.Stream && status < 400 && length is null;

    public void Abort() => throw new InvalidOperationException("A response ends with an event.");

    public Task FailAsync(WireError error)
    {
        // Behind the start the record tells it.
        _started.TrySetResult(error);
        return Task.CompletedTask;
    }

    /// <summary>The intent is durable.</summary>
    public async Task StartAsync(AnswerIdentity identity)
    {
        Identity = identity;
        Warning = Headers[InferenceCalls.UnsupportedHeader];
        try
        {
            if (Asked.Stream)
                await BeginEventsAsync();
        }
        catch (OperationCanceledException)
        {
            // It is stopped already: the call ends before it is sent, and its record says so.
        }
        _started.TrySetResult(null);
    }

    /// <summary>It could not even start.</summary>
    public void FailToStart(Exception failure) => _started.TrySetException(failure);

    /// <summary>Ends the call. What it came to is recorded.</summary>
    public async Task StopAsync()
    {
        try
        {
            await _stopped.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }

    public void Dispose()
    {
        _events.Dispose();
        _stopped.Dispose();
    }

    // As OpenAI's background streams begin, whatever the provider's begin with.
    private async Task BeginEventsAsync()
    {
        var output = new PooledBytes();
        try
        {
            foreach (
                var (type, status) in (ReadOnlySpan<(string, ResponseStatus)>)
                    [
                        ("response.created", ResponseStatus.Queued),
                        ("response.queued", ResponseStatus.Queued),
                        ("response.in_progress", ResponseStatus.InProgress),
                    ]
            )
                ResponseEvents.Write(ref output, type, _next++, BackgroundState.Write(Identity, Asked.Body, status));
            await KeepAsync(0, output.Memory);
        }
        finally
        {
            output.Dispose();
        }
    }

    private async Task TakeAsync(ReadOnlyMemory<byte> bytes)
    {
        if (!_keepsEvents)
            return;
        var output = new PooledBytes();
        try
        {
            var first = _next;
            _events.Feed(bytes);
            while (_events.TryRead(out var sse))
                Number(sse, ref output);
            if (_next > first)
                await KeepAsync(first, output.Memory);
        }
        finally
        {
            output.Dispose();
        }
    }

    private async Task KeepAsync(int first, ReadOnlyMemory<byte> events)
    {
        var batch = new OutputBatch(
            Caller.TenantId,
            Id,
            Identity.Id,
            SubjectOf(Identity),
            first,
            _next - 1,
            events,
            IsLast: false
        );
        try
        {
            if (await _log.AppendAsync(batch, CancellationToken.None))
                return;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            await StopAsync();
            throw new OperationCanceledException("What came cannot be kept.", e, Aborted);
        }
        await StopAsync();
        throw new OperationCanceledException("The response has ended elsewhere.", Aborted);
    }

    // Its beginning and its end are told by us; an error ends it as failed, which says it too.
    private void Number(in SseEvent sse, ref PooledBytes output)
    {
        var data = sse.Data.Span;
        if (!sse.HasData || !JsonObjects.IsWellFormed(data))
            return;
        var members = ResponsesEventMembers.Read(data);
        var type = members.Type.IsEmpty ? sse.Name.Span : members.Type;
        if (
            ResponsesEventMembers.KindOf(type) is ResponsesEvent.Started or ResponsesEvent.Ended or ResponsesEvent.Error
            || type.SequenceEqual("response.queued"u8)
        )
            return;
        ResponseEvents.WriteNumbered(ref output, type, _next++, data);
    }
}
