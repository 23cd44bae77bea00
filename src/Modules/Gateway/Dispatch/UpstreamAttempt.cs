using System.Buffers;
using System.Net.Mime;
using System.Runtime.InteropServices;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>
/// One try at a deployment. It has begun when there is something that the caller can be given: a whole answer, or the first event of a stream.
/// Until then another try may take its place.
/// </summary>
internal sealed class UpstreamAttempt : IDisposable
{
    // A stream that says nothing keeps its buffer, and there are thousands of them: it begins small.
    private const int FirstReadSize = 4 * 1024;
    private const int ReadSize = 16 * 1024;
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    // What a provider may tell the caller about its answer. Its cookies, limits and account are not the caller's.
    private static readonly string[] RelayedHeaders =
    [
        "Retry-After",
        "retry-after-ms",
        "openai-processing-ms",
        "openai-version",
        "openai-model",
    ];

    private readonly InferenceOrder _order;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly SilenceClock _silence;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenRegistration _callEnds;
    private readonly SseReader _events = new();
    private readonly ResponseAmendments? _amendments;
    private DeploymentPlace? _place;
    private HttpResponseMessage? _response;
    private Stream? _upstream;
    private byte[] _buffer = [];
    private PooledBytes _body;
    private PooledBytes _first;
    private PooledBytes _heldBack;
    private int _read;
    private bool _hasReachedEnd;
    private bool _isDisposed;

    /// <param name="number">1 for the first of a call.</param>
    /// <param name="deployment">Where it goes.</param>
    /// <param name="order">What is asked for.</param>
    /// <param name="time">Measures silences.</param>
    /// <param name="callEnds">Ends the try, also after it has begun: the caller has gone.</param>
    public UpstreamAttempt(
        int number,
        Deployment deployment,
        InferenceOrder order,
        TimeProvider time,
        CancellationToken callEnds
    )
    {
        Number = number;
        Deployment = deployment;
        _order = order;
        _time = time;
        _startedAt = time.GetTimestamp();
        _silence = new SilenceClock(GiveUp, time);
        _callEnds = EndWith(callEnds);
        Translation = order.TranslationFor(deployment);
        _amendments = order.Amendments?.Again();
    }

    /// <summary>1 for the first of a call.</summary>
    public int Number { get; }

    /// <summary>Where it goes.</summary>
    public Deployment Deployment { get; }

    /// <summary>How the two wires are brought together; null where they are the same.</summary>
    public TranslatedCall? Translation { get; }

    /// <summary>Why it brought nothing; null once it has begun.</summary>
    public AttemptFailure? Failure { get; private set; }

    /// <summary>The provider's HTTP status.</summary>
    public int? Status { get; private set; }

    /// <summary>The provider's id of the request.</summary>
    public string? UpstreamRequestId { get; private set; }

    /// <summary>The answer's id at the provider, where the caller is told another.</summary>
    public string? UpstreamAnswerId => _amendments?.UpstreamId;

    /// <summary>When its first byte came, as the time provider tells it.</summary>
    public long? FirstByteAt { get; private set; }

    /// <summary>Milliseconds that it took, so far or in all.</summary>
    public double DurationMs => Milliseconds(_endedAt ?? _time.GetTimestamp());

    /// <summary>The answer's stream; null for a whole answer.</summary>
    public AnswerStream? Stream { get; private set; }

    /// <summary>The answer that is passed on as it comes, and is not looked into; null for any other.</summary>
    public RawAnswer? Raw { get; private set; }

    /// <summary>The whole answer as the provider gave it, or what of it came; not for a stream.</summary>
    public ReadOnlyMemory<byte> Body => _body.Memory;

    /// <summary>The whole answer for the caller, in the caller's wire.</summary>
    public ReadOnlyMemory<byte> Answer { get; private set; }

    /// <summary>Bytes of the answer in memory that outlives the try.</summary>
    public ReadOnlyMemory<byte> Keep(ReadOnlyMemory<byte> bytes) => bytes.Equals(_body.Memory) ? _body.Keep() : bytes;

    /// <summary>What was asked for.</summary>
    public InferenceOrder Order => _order;

    /// <summary>The answer need not be JSON.</summary>
    public bool IsRaw => _order.Wire.IsRaw;

    /// <summary>What the provider counted.</summary>
    public TokenUsage? Usage => Stream is null ? _usage : Stream.Usage;

    /// <summary>The content type of what came.</summary>
    public string ContentType { get; private set; } = MediaTypeNames.Application.Json;

    /// <summary>What the provider may tell the caller in headers.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers => _headers;

    private readonly List<KeyValuePair<string, string>> _headers = [];
    private TokenUsage? _usage;
    private long? _endedAt;

    /// <summary>Sends the request and waits until it has begun, or failed. Another try may run beside it.</summary>
    /// <param name="givenUp">The try is no longer wanted: another was faster.</param>
    /// <exception cref="OperationCanceledException">The caller has gone, or the try was given up.</exception>
    public async Task BeginAsync(CancellationToken givenUp)
    {
        // Without a try beside it the two are one.
        await using var _ = givenUp == _callEnds.Token ? default : EndWith(givenUp);
        try
        {
            WaitAtMost(Deployment.Settings.FirstByteTimeout);
            _place = await Deployment.Health.EnterAsync(_ended.Token);
            Failure = _place is null ? AttemptFailure.Busy : await SendAsync();
        }
        catch (OperationCanceledException) when (_silence.HasRung)
        {
            Failure =
                _place is null ? AttemptFailure.Busy
                : FirstByteAt is null ? AttemptFailure.Late
                : IsOverdue ? AttemptFailure.TooLong
                : AttemptFailure.Stalled;
        }
        catch (OperationCanceledException) when (!_ended.IsCancellationRequested)
        {
            // So a connection that was not made in time ends.
            Failure = AttemptFailure.Unreachable;
        }
        catch (Exception e) when (e is HttpRequestException or IOException && !_ended.IsCancellationRequested)
        {
            Failure = IsUnreachable(e) ? AttemptFailure.Unreachable : AttemptFailure.Broken;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // A connection that is cut by our own cancellation may say so in its own way.
            throw new OperationCanceledException(e.Message, e, _ended.Token);
        }
        if (Failure is null)
            Deployment.Health.Began(Milliseconds(FirstByteAt ?? _time.GetTimestamp()));
        else
            End();
    }

    /// <summary>Waits for what comes next of a stream; then <see cref="WriteTo"/> takes it.</summary>
    /// <returns>False at the stream's end.</returns>
    /// <exception cref="AttemptException">The stream broke off or stalled.</exception>
    public async ValueTask<bool> ReadAsync()
    {
        if (_first.Length > 0)
            return true;
        if (_hasReachedEnd || Stream is { IsDone: true })
            return false;
        try
        {
            await ReadStreamAsync();
            return true;
        }
        catch (OperationCanceledException) when (_silence.HasRung)
        {
            throw new AttemptException(IsOverdue ? AttemptFailure.TooLong : AttemptFailure.Stalled);
        }
        catch (Exception e) when (e is HttpRequestException or IOException && !_ended.IsCancellationRequested)
        {
            throw new AttemptException(AttemptFailure.Broken);
        }
    }

    /// <summary>Writes what came with <see cref="ReadAsync"/>. What completes the answer, and all behind that, stays in <see cref="HeldBack"/>.</summary>
    /// <exception cref="AttemptException">What came is no stream that can be relayed.</exception>
    public void WriteTo(IBufferWriter<byte> output)
    {
        if (_first.Length == 0)
        {
            try
            {
                TakeRead(output);
            }
            catch (SseEventTooLargeException)
            {
                throw new AttemptException(AttemptFailure.Broken);
            }
            return;
        }
        output.Write(_first.Span);
        _first.Truncate(0);
    }

    /// <summary>What completes a stream: given to the caller once the outcome is on record.</summary>
    public ReadOnlySpan<byte> HeldBack => _heldBack.Span;

    /// <summary>It brought nothing, and will not.</summary>
    public void Refuse(AttemptFailure failure)
    {
        Failure = failure;
        End();
    }

    /// <summary>The try is over: its connection and its place are free.</summary>
    public void End()
    {
        _endedAt ??= _time.GetTimestamp();
        _upstream?.Dispose();
        _response?.Dispose();
        _place?.Dispose();
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        End();
        Stream?.Dispose();
        Raw?.Dispose();
        _events.Dispose();
        _body.Dispose();
        _first.Dispose();
        _heldBack.Dispose();
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _silence.Dispose();
        _callEnds.Dispose();
        _ended.Dispose();
    }

    private bool IsOverdue => Milliseconds(_time.GetTimestamp()) >= Deployment.Settings.TotalTimeout.TotalMilliseconds;

    private static bool IsUnreachable(Exception e) =>
        e
            is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError
            };

    private async Task<AttemptFailure?> SendAsync()
    {
        var model = Deployment.UpstreamModelFor(_order.Request.Model);
        var content = Translation is null
            ? new UpstreamContent(
                _order.Request.UpstreamPieces(Deployment.Settings.UpstreamModel, Deployment.Settings.AskForUsage)
            )
            : new UpstreamContent(Translation.Body);
        WaitAtMost(Deployment.Settings.FirstByteTimeout);
        _response = await Deployment.Provider.AskAsync(
            _order.TargetOperation(Deployment),
            model,
            content,
            Translation is null ? _order.Request.ContentType : MediaTypeNames.Application.Json,
            Translation is null ? _order.Headers : null,
            _ended.Token
        );
        Status = (int)_response.StatusCode;
        UpstreamRequestId = HeaderOf("x-request-id") ?? HeaderOf("request-id");
        ReadHead();
        _upstream = await _response.Content.ReadAsStreamAsync(_ended.Token);
        _buffer = ArrayPool<byte>.Shared.Rent(FirstReadSize);

        if (!_response.IsSuccessStatusCode)
        {
            await ReadWholeAsync();
            var wait = RetryAfter.Read(HeaderOf("retry-after-ms"), HeaderOf("retry-after"), _time);
            if (Status is 429 && wait is { } asked)
                Deployment.Health.Cool(asked);
            return AttemptFailure.OfStatus(Status.Value, wait);
        }
        var mediaType = MediaTypeOf(ContentType);
        if (
            (_order.Request.Stream || IsRaw)
            && "text/event-stream".Equals(mediaType, StringComparison.OrdinalIgnoreCase)
        )
        {
            Stream = Translation is null ? _order.Wire.OpenStream(_order.Request) : Translation.OpenStream();
            if (Stream is not null)
            {
                Stream = _amendments?.Amend(Stream) ?? Stream;
                return await BeginStreamAsync();
            }
        }
        if (IsRaw && RawAnswer.Is(mediaType))
        {
            Raw = new RawAnswer(_response.Content.Headers.ContentLength);
            return await BeginRawAsync();
        }
        await ReadWholeAsync();
        return ReadAnswer() ? null : AttemptFailure.NotJson;
    }

    private bool ReadAnswer()
    {
        if (Translation is null)
        {
            Answer = _body.Memory;
            if (!_order.Wire.TryReadAnswer(_body.Span, out _usage))
                return false;
        }
        else if (Translation.TryTranslateAnswer(_body.Span, out var answer, out _usage))
            Answer = answer;
        else
            return false;
        if (_amendments is not null)
            Answer = _amendments.Amend(Answer);
        return true;
    }

    private void ReadHead()
    {
        ContentType = HeaderText.Read(_response!.Content.Headers, "Content-Type") ?? ContentType;
        foreach (var name in RelayedHeaders)
        {
            if (HeaderOf(name) is { } value)
                _headers.Add(new(name, value));
        }
    }

    // An error, or an end, before there is anything for the caller is a failure that another try can mend.
    private async Task<AttemptFailure?> BeginStreamAsync()
    {
        while (_first.Length == 0 && !Stream!.IsComplete && !Stream.HasError && !_hasReachedEnd)
        {
            await ReadStreamAsync();
            TakeRead(output: null);
        }
        return Stream!.Error is { } error ? AttemptFailure.InStream(error.Status)
            : _first.Length == 0 && !Stream.IsComplete ? AttemptFailure.Incomplete
            : null;
    }

    private async Task<AttemptFailure?> BeginRawAsync()
    {
        await ReadStreamAsync();
        TakeRead(output: null);
        return null;
    }

    private async ValueTask ReadStreamAsync()
    {
        try
        {
            await ReadChunkAsync();
        }
        catch (Exception e)
            when (Stream is { IsComplete: true }
                && e is OperationCanceledException or IOException or HttpRequestException
            )
        {
            // The answer is all there; how the connection ends behind it does not matter.
            _read = 0;
        }
        _hasReachedEnd = _read == 0;
    }

    private void TakeRead(IBufferWriter<byte>? output)
    {
        if (Raw is not null)
        {
            // What may be the last of it is held back until more has come.
            if (_hasReachedEnd)
                return;
            Emit(_heldBack.Span, output);
            _heldBack.Set(_buffer.AsSpan(0, _read));
            Raw.Add(_heldBack.Span);
            return;
        }
        if (_hasReachedEnd)
        {
            if (_events.TryReadRemainder(out var remainder))
                Take(Stream!.Relay(remainder), output);
            Take(Stream!.End(), output);
            return;
        }
        // Events that pass untouched lie beside each other: they go on as one.
        var run = default(ArraySegment<byte>);
        _events.Feed(_buffer.AsMemory(0, _read));
        while (_events.TryRead(out var sse))
        {
            var bytes = Stream!.Relay(sse);
            if (!Stream.IsComplete && _heldBack.Length == 0 && Continues(ref run, bytes))
                continue;
            Emit(run, output);
            run = default;
            Take(bytes, output);
        }
        Emit(run, output);
    }

    private bool Continues(ref ArraySegment<byte> run, ReadOnlyMemory<byte> bytes)
    {
        if (
            !MemoryMarshal.TryGetArray(bytes, out var found)
            || found.Array != _buffer
            || (run.Count > 0 && found.Offset != run.Offset + run.Count)
        )
            return false;
        run = run.Count == 0 ? found : new ArraySegment<byte>(_buffer, run.Offset, run.Count + found.Count);
        return true;
    }

    private void Take(ReadOnlyMemory<byte> events, IBufferWriter<byte>? output)
    {
        var bytes = events.Span;
        if (bytes.IsEmpty)
            return;
        Emit(_heldBack.Span, output);
        _heldBack.Truncate(0);
        if (Stream!.IsComplete)
            _heldBack.Set(bytes);
        else
            Emit(bytes, output);
    }

    private void Emit(ReadOnlySpan<byte> bytes, IBufferWriter<byte>? output)
    {
        if (output is null)
            _first.Append(bytes);
        else
            output.Write(bytes);
    }

    private async Task ReadWholeAsync()
    {
        while (await ReadChunkAsync())
        {
            if (_body.Length + _read > MaxAnswerBytes)
                throw new IOException("The provider's answer is too large.");
            _body.Append(_buffer.AsSpan(0, _read));
        }
    }

    // The clock of silence runs only while the provider is waited for: a caller who reads slowly is not the provider's fault.
    private async ValueTask<bool> ReadChunkAsync()
    {
        WaitAtMost(FirstByteAt is null ? Deployment.Settings.FirstByteTimeout : Deployment.Settings.IdleTimeout);
        if (_read == _buffer.Length && _read < ReadSize)
            Enlarge();
        _read = await _upstream!.ReadAsync(_buffer, _ended.Token);
        FirstByteAt ??= _time.GetTimestamp();
        _silence.Stop();
        return _read > 0;
    }

    // The last read filled it, so more is on its way. What was read has been taken.
    private void Enlarge()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
    }

    private void WaitAtMost(TimeSpan silence) => _silence.Start(silence, Deployment.Settings.TotalTimeout);

    private void GiveUp()
    {
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private CancellationTokenRegistration EndWith(CancellationToken token) =>
        token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _ended);

    // Looked at by hand: to have it parsed costs a fiftieth of a call's garbage.
    private static string MediaTypeOf(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        return end < 0 ? contentType : contentType[..end].TrimEnd();
    }

    private string? HeaderOf(string name) => HeaderText.Read(_response!.Headers, name);

    private double Milliseconds(long timestamp) =>
        Math.Round(_time.GetElapsedTime(_startedAt, timestamp).TotalMilliseconds, 3);
}
