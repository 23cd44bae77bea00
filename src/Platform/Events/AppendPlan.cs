using Verbatim.Evidence;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>
/// One transaction's worth of appends with their positions, versions and hashes. Built for an assumed head of the log; when the head
/// turns out to be elsewhere the plan is thrown away and built again.
/// </summary>
internal sealed class AppendPlan
{
    private readonly List<PendingAppend> _accepted = [];
    private readonly List<(PendingAppend Append, VersionConflict Conflict)> _conflicts = [];
    private readonly List<Row> _rows = [];
    private readonly BinaryCopy _copy = new();
    private byte[] _hashes = new byte[64 * LeafEncoding.HashSize];
    private byte[] _scratch = new byte[4096];
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

    /// <summary>The hashes of all rows, one behind the other.</summary>
    public ReadOnlySpan<byte> Hashes => _hashes.AsSpan(0, _rows.Count * LeafEncoding.HashSize);

    /// <summary>
    /// Answers everybody. Conflicts too are answered only now: one may be with an append of the same transaction, which might have
    /// failed.
    /// </summary>
    public void Complete()
    {
        var time = LeafEncoding.TimeOf(Time);
        var position = _head.Position;
        foreach (var append in _accepted)
        {
            position += append.EventCount;
            append.TrySetResult(new AppendResult(position, time, null));
        }
        foreach (var (append, conflict) in _conflicts)
            append.TrySetResult(new AppendResult(0, default, conflict));
    }

    /// <summary>The rows, ready to be copied into the table of events.</summary>
    public BinaryCopy EncodeCopy()
    {
        _copy.Begin();
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i];
            var stream = row.Stream;
            _copy.AddRow(12);
            _copy.Add(stream.Context.TenantId);
            _copy.Add(stream.StreamId);
            _copy.Add(row.Version);
            _copy.Add(row.Position);
            _copy.AddTime(Time);
            _copy.Add((short)row.Event.TypeVersion);
            _copy.Add(stream.StreamType);
            _copy.Add(row.Event.Type);
            _copy.Add(stream.Context.Actor);
            _copy.Add(stream.Context.Correlation);
            _copy.Add(row.Event.Data);
            _copy.Add(HashOf(i));
        }
        return _copy;
    }

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
            @event.Data.Span,
            _hashes.AsSpan(index * LeafEncoding.HashSize, LeafEncoding.HashSize)
        );
    }
}
