using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Verbatim.Evidence;

/// <summary>Checks an export of chosen events: follows each up to the root of the one checkpoint that the export begins with.</summary>
internal sealed class SelectionLines(IReadOnlyCollection<NoteKey> keys, IReadOnlyDictionary<long, Checkpoint> kept)
    : IExportLines
{
    private readonly ExportLineReader _reader = new();
    private readonly Dictionary<(Guid TenantId, Guid StreamId), long> _versions = [];
    private byte[] _scratch = new byte[4096];
    private InclusionChain _chain = new(0, MerkleTree.EmptyRoot);
    private long _treeSize;
    private long _first;
    private long _last;
    private long _events;

    public bool HasEnded { get; private set; }

    public string? Begin(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        var note = ExportLineReader.Text(ref reader, "checkpoint"u8);
        if (!Checkpoint.TryOpen(note, keys, out var checkpoint, out var why))
            return why;
        foreach (var other in kept.Values)
        {
            if (other.Origin != checkpoint.Origin)
                return $"The kept checkpoint is of the log {other.Origin}, the export of {checkpoint.Origin}.";
            if (other.Size == checkpoint.Size && !other.Root.Span.SequenceEqual(checkpoint.Root.Span))
                return $"The checkpoint of the export and the one that was kept, of {other.Size} events both, contradict each other.";
        }
        _treeSize = checkpoint.Size;
        _chain = new InclusionChain(checkpoint.Size, checkpoint.Root);
        SelectionLine.WriteBegin(canonical, note);
        return null;
    }

    public string? Check(ref Utf8JsonReader reader, IBufferWriter<byte> canonical) =>
        reader.ValueTextEquals("position"u8) ? Event(ref reader, canonical)
        : reader.ValueTextEquals("end"u8) ? End(ref reader, canonical)
        : "The line is neither an event nor the end.";

    public string? Finish() => null;

    public ExportReport Report(long line, string? problem) =>
        new(_first, _last, _last, Checkpoints: 1, line, problem is null ? 0 : _last, problem)
        {
            Selection = new SelectionReport(
                _treeSize,
                _events,
                _events == _last - _first + 1,
                _versions.Count,
                _versions.Values.Count(v => v > 0)
            ),
        };

    private string? Event(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        var @event = _reader.Event(ref reader);
        var proof = ExportLineReader.Hashes(ref reader, "proof"u8);
        var position = @event.Header.Position;
        if (position <= _last)
            return $"Position {position} follows {_last}: events are doubled or out of order.";
        if (position > _treeSize)
            return $"Position {position} is beyond the checkpoint of {_treeSize} events.";
        if (!@event.HasItsLeafHash(ref _scratch))
            return $"The event at position {position} does not have its leaf hash: one of the two was changed.";
        if (!_chain.TryAdd(position - 1, @event.LeafHash, proof))
            return $"The event at position {position} is not the one that was signed, or its proof was changed.";
        if (_events == 0)
            _first = position;
        _last = position;
        _events++;
        Follow(@event.Header);
        SelectionLine.WriteEvent(canonical, @event.Header, @event.Data, @event.LeafHash, proof);
        return null;
    }

    // The last version while a stream runs without a gap from 1, then -1 for good.
    private void Follow(LeafHeader header)
    {
        var stream = (header.TenantId, header.StreamId);
        if (_versions.Count < SelectionReport.MostStreams)
        {
            ref var followed = ref CollectionsMarshal.GetValueRefOrAddDefault(_versions, stream, out _);
            followed = followed >= 0 && header.Version == followed + 1 ? header.Version : -1;
        }
        else if (_versions.TryGetValue(stream, out var last))
        {
            _versions[stream] = last >= 0 && header.Version == last + 1 ? header.Version : -1;
        }
    }

    private string? End(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        var end = ExportLineReader.Number(ref reader, "end"u8);
        var events = ExportLineReader.Number(ref reader, "events"u8);
        var hasMore = ExportLineReader.Boolean(ref reader, "hasMore"u8);
        if (events != _events)
            return $"The export says that it has {events} events, and it has {_events}.";
        // One that looked through all ends with what the checkpoint covers, one that has more behind its last event.
        if (end != (hasMore ? _last : _treeSize))
            return $"The export says that it ends at position {end}, and it ends at {(hasMore ? _last : _treeSize)}.";
        HasEnded = true;
        SelectionLine.WriteEnd(canonical, end, events, hasMore);
        return null;
    }
}
