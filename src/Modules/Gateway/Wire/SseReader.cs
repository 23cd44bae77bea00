using System.Buffers;
using System.Globalization;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>
/// Splits the bytes of a server-sent event stream (WHATWG HTML, section 9.2) into its events, however they are cut into chunks:
/// the same bytes give the same events, and the raw bytes of all events followed by the remainder are the stream exactly.
/// <code>
/// reader.Feed(chunk);
/// while (reader.TryRead(out var sse)) { … }   // now the chunk's memory may be used again
/// …
/// if (reader.TryReadRemainder(out var cut)) { … }   // the stream has ended
/// </code>
/// </summary>
/// <remarks>
/// Lines end with LF, CRLF or CR. An event that lies in one chunk is not copied; one that is cut is put together in a pooled buffer.
/// Behind a blank line that is a bare CR, a LF belongs to the event only where the line before it ended with CRLF. So the events of
/// a stream with CR endings need not wait for the next chunk.
/// </remarks>
/// <param name="maxEventBytes">The most raw bytes that one event may have.</param>
internal sealed class SseReader(int maxEventBytes = SseReader.DefaultMaxEventBytes) : IDisposable
{
    /// <summary>16 MB: an image in base64 fits.</summary>
    public const int DefaultMaxEventBytes = 16 * 1024 * 1024;

    private const int FirstCarry = 4 * 1024;
    private const int LargestKeptCarry = 64 * 1024;

    private readonly int _maxEventBytes = maxEventBytes;
    private ReadOnlyMemory<byte> _chunk;
    private byte[] _carry = [];
    private int _carried;
    private bool _carryIsRead;
    private byte[] _joined = [];
    private bool _started;

    // Where the scan stands.
    private bool _lineHasBytes;
    private bool _afterCr;
    private bool _afterBlankCr;
    private bool _lastLineIsCrLf;

    /// <summary>Gives the next bytes of the stream. They are used until <see cref="TryRead"/> answers false.</summary>
    /// <exception cref="InvalidOperationException">The chunk before has not been read to its end.</exception>
    public void Feed(ReadOnlyMemory<byte> chunk)
    {
        if (!_chunk.IsEmpty)
            throw new InvalidOperationException("The chunk before has not been read to its end.");
        _chunk = chunk;
    }

    /// <summary>The next event, if all of it has been fed.</summary>
    /// <exception cref="SseEventTooLargeException">The event is larger than the reader accepts, complete or not.</exception>
    public bool TryRead(out SseEvent sse)
    {
        ForgetReadCarry();
        if (TryReadPlain(out sse))
            return true;
        var length = Scan(_chunk.Span);
        if (length < 0)
        {
            Carry(_chunk.Span);
            _chunk = default;
            sse = default;
            return false;
        }

        ReadOnlyMemory<byte> raw;
        if (_carried == 0)
        {
            CheckSize(length);
            raw = _chunk[..length];
        }
        else
        {
            Carry(_chunk.Span[..length]);
            raw = _carry.AsMemory(0, _carried);
            _carryIsRead = true;
        }
        _chunk = _chunk[length..];
        sse = Parse(raw);
        return true;
    }

    /// <summary>
    /// At the end of the stream: the bytes behind the last complete event, read as if a blank line followed. A client that keeps to the
    /// standard ignores such an event.
    /// </summary>
    public bool TryReadRemainder(out SseEvent sse)
    {
        ForgetReadCarry();
        if (_carried == 0)
        {
            sse = default;
            return false;
        }
        _carryIsRead = true;
        sse = Parse(_carry.AsMemory(0, _carried));
        return true;
    }

    /// <summary>Gives the buffers back. Events that were read are no longer valid.</summary>
    public void Dispose()
    {
        Return(ref _carry);
        Return(ref _joined);
        _carried = 0;
        _chunk = default;
    }

    // One line of data and a blank one, in one chunk and with bare line feeds: nearly all events. They need not be looked at twice.
    private bool TryReadPlain(out SseEvent sse)
    {
        sse = default;
        var bytes = _chunk.Span;
        if (!_started || _carried > 0 || _afterCr || !bytes.StartsWith("data: "u8))
            return false;
        var end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0 || !bytes[end..].StartsWith("\n\n"u8))
            return false;
        CheckSize(end + 2);
        sse = new SseEvent(_chunk[..(end + 2)], default, _chunk[6..end], hasData: true);
        _chunk = _chunk[(end + 2)..];
        _lastLineIsCrLf = false;
        return true;
    }

    /// <summary>The length of the bytes that complete the event, or -1 when it goes on behind them.</summary>
    private int Scan(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            if (_afterCr)
            {
                _afterCr = false;
                var isLf = bytes[at] == '\n';
                if (_afterBlankCr)
                {
                    _afterBlankCr = false;
                    _lastLineIsCrLf = false;
                    return isLf ? at + 1 : at;
                }
                _lastLineIsCrLf = isLf;
                if (isLf)
                {
                    at++;
                    continue;
                }
            }

            var run = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (run < 0)
            {
                _lineHasBytes = true;
                return -1;
            }
            at += run + 1;
            var isBlank = run == 0 && !_lineHasBytes;
            var isCr = bytes[at - 1] == '\r';
            _lineHasBytes = false;
            _afterCr = isCr;
            if (isBlank && isCr && _lastLineIsCrLf)
            {
                _afterBlankCr = true;
                continue;
            }
            _lastLineIsCrLf = false;
            if (isBlank)
                return at;
        }
        return -1;
    }

    private SseEvent Parse(ReadOnlyMemory<byte> raw)
    {
        var bytes = raw.Span;
        var at = 0;
        if (!_started)
        {
            _started = true;
            if (bytes.StartsWith("\uFEFF"u8))
                at = 3;
        }

        var name = default(ReadOnlyMemory<byte>);
        var data = default(ReadOnlyMemory<byte>);
        var dataLines = 0;
        var joined = 0;
        while (at < bytes.Length)
        {
            var run = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            var end = run < 0 ? bytes.Length : at + run;
            var line = bytes[at..end];
            if (FieldIs(line, "data"u8, out var valueAt))
            {
                var value = raw[(at + valueAt)..end];
                if (dataLines == 1)
                    joined = Join(data.Span, 0, bytes.Length);
                if (dataLines >= 1)
                {
                    joined = Join("\n"u8, joined, bytes.Length);
                    joined = Join(value.Span, joined, bytes.Length);
                }
                else
                {
                    data = value;
                }
                dataLines++;
            }
            else if (FieldIs(line, "event"u8, out valueAt))
            {
                name = raw[(at + valueAt)..end];
            }
            at = end + 1;
        }
        if (dataLines > 1)
            data = _joined.AsMemory(0, joined);
        return new SseEvent(raw, name, data, dataLines > 0);
    }

    /// <summary>A field's name stands alone or before a colon; one space behind the colon is not part of the value.</summary>
    private static bool FieldIs(ReadOnlySpan<byte> line, ReadOnlySpan<byte> field, out int valueAt)
    {
        valueAt = field.Length;
        if (!line.StartsWith(field))
            return false;
        if (line.Length == field.Length)
            return true;
        if (line[valueAt] != ':')
            return false;
        valueAt++;
        if (valueAt < line.Length && line[valueAt] == ' ')
            valueAt++;
        return true;
    }

    // The joined data is never longer than the event, so one buffer of its size is enough.
    private int Join(ReadOnlySpan<byte> part, int at, int capacity)
    {
        if (_joined.Length < capacity)
        {
            Return(ref _joined);
            _joined = ArrayPool<byte>.Shared.Rent(capacity);
        }
        part.CopyTo(_joined.AsSpan(at));
        return at + part.Length;
    }

    private void Carry(ReadOnlySpan<byte> bytes)
    {
        CheckSize((long)_carried + bytes.Length);
        var needed = _carried + bytes.Length;
        if (needed > _carry.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(needed, FirstCarry), _carry.Length * 2));
            _carry.AsSpan(0, _carried).CopyTo(larger);
            Return(ref _carry);
            _carry = larger;
        }
        bytes.CopyTo(_carry.AsSpan(_carried));
        _carried = needed;
    }

    private void ForgetReadCarry()
    {
        if (!_carryIsRead)
            return;
        _carryIsRead = false;
        _carried = 0;
        if (_carry.Length > LargestKeptCarry)
            Return(ref _carry);
    }

    private void CheckSize(long length)
    {
        if (length > _maxEventBytes)
            throw new SseEventTooLargeException(_maxEventBytes);
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }
}

/// <summary>One block of a server-sent event stream, up to and with the blank line that ends it.</summary>
/// <remarks>The memories are valid until the next call on the <see cref="SseReader"/> that gave them.</remarks>
internal readonly struct SseEvent
{
    internal SseEvent(ReadOnlyMemory<byte> raw, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> data, bool hasData)
    {
        Raw = raw;
        Name = name;
        Data = data;
        HasData = hasData;
    }

    /// <summary>The bytes as they came: to be forwarded.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The value of the last <c>event</c> field; empty without one.</summary>
    public ReadOnlyMemory<byte> Name { get; }

    /// <summary>The values of the <c>data</c> fields, joined by line feeds.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>False for a block of comments, or of other fields only: clients see no event there.</summary>
    public bool HasData { get; }
}

/// <summary>A provider sent an event that is larger than the reader accepts.</summary>
internal sealed class SseEventTooLargeException(int limit)
    : IOException(string.Create(CultureInfo.InvariantCulture, $"An event of the stream is larger than {limit} bytes."));
