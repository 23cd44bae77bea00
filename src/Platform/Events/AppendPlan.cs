using System.Buffers.Binary;
using System.Text;

namespace Verbatim.Platform.Events;

/// <summary>
/// One transaction's worth of appends with their positions, versions and hashes. Built for an assumed head of the log; when the head
/// turns out to be elsewhere the plan is thrown away and built again.
/// </summary>
internal sealed class AppendPlan
{
    private readonly List<PendingAppend> _accepted = [];
    private readonly List<Row> _rows = [];
    private byte[] _hashes = new byte[64 * LeafEncoding.HashSize];
    private byte[] _scratch = new byte[4096];

    internal readonly record struct Row(StreamAppend Stream, EncodedEvent Event, long Version, long Position);

    public IReadOnlyList<PendingAppend> Accepted => _accepted;

    public IReadOnlyList<Row> Rows => _rows;

    public long FirstPosition { get; private set; }

    public long LastPosition => FirstPosition + _rows.Count - 1;

    /// <summary>All events of a transaction bear the same time. Microseconds since 1970.</summary>
    public long Time { get; private set; }

    public void Begin(long headPosition, long time)
    {
        _accepted.Clear();
        _rows.Clear();
        FirstPosition = headPosition + 1;
        Time = time;
    }

    public void Accept(PendingAppend append)
    {
        _accepted.Add(append);
        foreach (var stream in append.Streams)
        {
            for (var i = 0; i < stream.Events.Length; i++)
                AddRow(stream, stream.Events[i], stream.ExpectedVersion + 1 + i);
        }
    }

    public ReadOnlySpan<byte> HashOf(int row) => _hashes.AsSpan(row * LeafEncoding.HashSize, LeafEncoding.HashSize);

    /// <summary>The position of the last event of <paramref name="append"/>, given that of the one before it.</summary>
    public AppendResult ResultFor(PendingAppend append, ref long position)
    {
        position += append.EventCount;
        return new AppendResult(position, DateTimeOffset.UnixEpoch.AddTicks(Time * TimeSpan.TicksPerMicrosecond), null);
    }

    /// <summary>The rows in Postgres's binary COPY format (PostgreSQL documentation, COPY, "Binary Format").</summary>
    public int EncodeCopy(ref byte[] buffer)
    {
        var at = 0;
        Ensure(ref buffer, CopyHeader.Length);
        CopyHeader.CopyTo(buffer);
        at += CopyHeader.Length;
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i];
            var stream = row.Stream;
            Ensure(ref buffer, at + MaxRowSize(row));
            var span = buffer.AsSpan();
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
        Ensure(ref buffer, at + 2);
        BinaryPrimitives.WriteInt16BigEndian(buffer.AsSpan(at), -1);
        return at + 2;
    }

    // The signature, no flags, no header extension.
    private static ReadOnlySpan<byte> CopyHeader =>
        [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00, 0, 0, 0, 0, 0, 0, 0, 0];

    // Postgres counts from 2000-01-01.
    private const long PostgresEpoch = 946_684_800_000_000;

    private void AddRow(StreamAppend stream, EncodedEvent @event, long version)
    {
        var index = _rows.Count;
        var position = FirstPosition + index;
        _rows.Add(new Row(stream, @event, version, position));
        if (_hashes.Length < (index + 1) * LeafEncoding.HashSize)
            Array.Resize(ref _hashes, _hashes.Length * 2);

        var context = stream.Context;
        var size =
            LeafEncoding.HeaderSize(stream.StreamType, @event.Type, context.Actor, context.Correlation)
            + @event.Data.Length;
        if (_scratch.Length < size)
            _scratch = new byte[Math.Max(size, _scratch.Length * 2)];
        LeafEncoding.Hash(
            _scratch,
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

    // A UTF-16 unit is three bytes of UTF-8 at most.
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

    private static void Ensure(ref byte[] buffer, int size)
    {
        if (buffer.Length < size)
            Array.Resize(ref buffer, Math.Max(size, buffer.Length * 2));
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
