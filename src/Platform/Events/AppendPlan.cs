using System.Buffers.Binary;
using System.Text;
using Verbatim.Evidence;

namespace Verbatim.Platform.Events;

/// <summary>
/// One transaction's worth of appends with their positions, versions and hashes. Built for an assumed head of the log; when the head
/// turns out to be elsewhere the plan is thrown away and built again.
/// </summary>
internal sealed class AppendPlan
{
    private const int KeptBufferSize = 4 * 1024 * 1024;

    private readonly List<PendingAppend> _accepted = [];
    private readonly List<(PendingAppend Append, VersionConflict Conflict)> _conflicts = [];
    private readonly List<Row> _rows = [];
    private byte[] _hashes = new byte[64 * LeafEncoding.HashSize];
    private byte[] _scratch = new byte[4096];
    private byte[] _copy = new byte[64 * 1024];
    private LogHead _head;

    internal readonly record struct Row(StreamAppend Stream, EncodedEvent Event, long Version, long Position);

    public IReadOnlyList<PendingAppend> Accepted => _accepted;

    public List<Row> Rows => _rows;

    /// <summary>The head that the plan was made for.</summary>
    public LogHead Base => _head;

    /// <summary>The head once it is committed.</summary>
    public LogHead Result => new(_head.Position + _rows.Count, Time, _head.Generation);

    /// <summary>True when a document's new state was made from one that was loaded.</summary>
    public bool DependsOnGeneration { get; private set; }

    /// <summary>All events of a transaction bear the same time. Microseconds since 1970.</summary>
    public long Time { get; private set; }

    public void Begin(LogHead head, long time)
    {
        _accepted.Clear();
        _conflicts.Clear();
        _rows.Clear();
        DependsOnGeneration = false;
        _head = head;
        Time = Math.Max(time, head.Time);
        if (_copy.Length > KeptBufferSize)
            _copy = new byte[64 * 1024];
    }

    public void Accept(PendingAppend append)
    {
        _accepted.Add(append);
        for (var s = 0; s < append.Streams.Count; s++)
        {
            var stream = append.Streams[s];
            DependsOnGeneration |= stream.Snapshot?.Generation is not null;
            for (var i = 0; i < stream.Events.Length; i++)
                AddRow(stream, stream.Events[i], stream.ExpectedVersion + 1 + i);
        }
    }

    public void Refuse(PendingAppend append, VersionConflict conflict) => _conflicts.Add((append, conflict));

    public ReadOnlySpan<byte> HashOf(int row) => _hashes.AsSpan(row * LeafEncoding.HashSize, LeafEncoding.HashSize);

    /// <summary>
    /// Answers everybody. Conflicts too are answered only now: one may be with an append of the same transaction, which might have
    /// failed.
    /// </summary>
    public void Complete()
    {
        var time = DateTimeOffset.UnixEpoch.AddTicks(Time * TimeSpan.TicksPerMicrosecond);
        var position = _head.Position;
        foreach (var append in _accepted)
        {
            position += append.EventCount;
            append.TrySetResult(new AppendResult(position, time, null));
        }
        foreach (var (append, conflict) in _conflicts)
            append.TrySetResult(new AppendResult(0, default, conflict));
    }

    /// <summary>The rows in Postgres's binary COPY format (PostgreSQL documentation, COPY, "Binary Format").</summary>
    public ReadOnlySpan<byte> EncodeCopy()
    {
        CopyHeader.CopyTo(_copy);
        var at = CopyHeader.Length;
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i];
            var stream = row.Stream;
            Ensure(at + MaxRowSize(row));
            var span = _copy.AsSpan();
            BinaryPrimitives.WriteInt16BigEndian(span[at..], 12);
            at += 2;
            at += WriteUuid(span[at..], stream.Context.TenantId);
            at += WriteUuid(span[at..], stream.StreamId);
            at += WriteInt64(span[at..], row.Version);
            at += WriteInt64(span[at..], row.Position);
            at += WriteInt64(span[at..], Time - PostgresEpoch);
            BinaryPrimitives.WriteInt32BigEndian(span[at..], 2);
            BinaryPrimitives.WriteInt16BigEndian(span[(at + 4)..], (short)row.Event.TypeVersion);
            at += 6;
            at += WriteText(span[at..], stream.StreamType);
            at += WriteText(span[at..], row.Event.Type);
            at += WriteText(span[at..], stream.Context.Actor);
            at += WriteText(span[at..], stream.Context.Correlation);
            at += WriteBytes(span[at..], row.Event.Data);
            at += WriteBytes(span[at..], HashOf(i));
        }
        BinaryPrimitives.WriteInt16BigEndian(_copy.AsSpan(at), -1);
        return _copy.AsSpan(0, at + 2);
    }

    // The signature, no flags, no header extension.
    private static ReadOnlySpan<byte> CopyHeader =>
        [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00, 0, 0, 0, 0, 0, 0, 0, 0];

    // Postgres counts from 2000-01-01.
    private const long PostgresEpoch = 946_684_800_000_000;

    private void AddRow(StreamAppend stream, EncodedEvent @event, long version)
    {
        var index = _rows.Count;
        var position = _head.Position + 1 + index;
        _rows.Add(new Row(stream, @event, version, position));
        if (_hashes.Length < (index + 1) * LeafEncoding.HashSize)
            Array.Resize(ref _hashes, _hashes.Length * 2);

        var context = stream.Context;
        LeafEncoding.Hash(
            ref _scratch,
            new LeafHeader(
                position,
                context.TenantId,
                stream.StreamId,
                stream.StreamType,
                version,
                @event.Type,
                @event.TypeVersion,
                Time,
                context.Actor,
                context.Correlation
            ),
            @event.Data,
            _hashes.AsSpan(index * LeafEncoding.HashSize, LeafEncoding.HashSize)
        );
    }

    // A UTF-16 unit is three bytes of UTF-8 at most. The trailer of the whole COPY fits in too.
    private static int MaxRowSize(Row row) =>
        256
        + 3
            * (
                row.Stream.StreamType.Length
                + row.Event.Type.Length
                + row.Stream.Context.Actor.Length
                + row.Stream.Context.Correlation.Length
            )
        + row.Event.Data.Length;

    private void Ensure(int size)
    {
        if (_copy.Length < size)
            Array.Resize(ref _copy, Math.Max(size, _copy.Length * 2));
    }

    private static int WriteUuid(Span<byte> destination, Guid value)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination, 16);
        value.TryWriteBytes(destination[4..], bigEndian: true, out _);
        return 20;
    }

    private static int WriteInt64(Span<byte> destination, long value)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination, 8);
        BinaryPrimitives.WriteInt64BigEndian(destination[4..], value);
        return 12;
    }

    private static int WriteText(Span<byte> destination, string value)
    {
        var length = Encoding.UTF8.GetBytes(value, destination[4..]);
        BinaryPrimitives.WriteInt32BigEndian(destination, length);
        return 4 + length;
    }

    private static int WriteBytes(Span<byte> destination, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination, value.Length);
        value.CopyTo(destination[4..]);
        return 4 + value.Length;
    }
}
