using System.Buffers;
using System.Text.Json;

namespace Verbatim.Evidence;

/// <summary>Checks an export of the log: builds the tree, and compares its root with every checkpoint on the way.</summary>
internal sealed class LogLines(IReadOnlyCollection<NoteKey> keys, IReadOnlyDictionary<long, Checkpoint> kept)
    : IExportLines
{
    private readonly ExportLineReader _reader = new();
    private byte[] _scratch = new byte[4096];
    private CompactTree _tree = new();
    private string _origin = "";
    private long _first;
    private long _proven;
    private int _checkpoints;

    public bool HasEnded { get; private set; }

    public string? Begin(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        _origin = ExportLineReader.Text(ref reader, "origin"u8);
        var after = ExportLineReader.Number(ref reader, "after"u8);
        ExportLineReader.Name(ref reader, "subtrees"u8);
        reader.Read();
        var subtrees = new List<byte[]>();
        while (reader.TokenType != JsonTokenType.EndArray)
        {
            subtrees.Add(Convert.FromHexString(reader.GetString()!));
            reader.Read();
        }
        _first = after + 1;
        _proven = after;
        _tree = new CompactTree(after, subtrees);
        ExportLine.WriteBegin(canonical, _origin, after, subtrees);
        return CompareWithKept();
    }

    public string? Check(ref Utf8JsonReader reader, IBufferWriter<byte> canonical) =>
        reader.ValueTextEquals("position"u8) ? Event(ref reader, canonical)
        : reader.ValueTextEquals("checkpoint"u8) ? CheckpointOf(ref reader, canonical)
        : reader.ValueTextEquals("end"u8) ? End(ref reader, canonical)
        : "The line is neither an event, nor a checkpoint, nor the end.";

    public string? Finish()
    {
        if (_tree.Size > _proven)
            return $"No checkpoint covers the events behind position {_proven}.";
        return kept.Keys.Where(size => size > _tree.Size).Order().FirstOrDefault() is > 0 and var missing
            ? $"The log had {missing} events when the kept checkpoint was signed; the export ends before that."
            : null;
    }

    public ExportReport Report(long line, string? problem) =>
        new(_first, _tree.Size, _proven, _checkpoints, line, problem is null ? 0 : _tree.Size + 1, problem);

    private string? Event(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        var @event = _reader.Event(ref reader);
        var position = @event.Header.Position;
        if (position != _tree.Size + 1)
            return $"Position {_tree.Size + 1} should follow, and {position} does: events are missing, doubled or out of order.";
        if (!@event.HasItsLeafHash(ref _scratch))
            return $"The event at position {position} does not have its leaf hash: one of the two was changed.";
        _tree.Add(@event.LeafHash);
        ExportLine.WriteEvent(canonical, @event.Header, @event.Data, @event.LeafHash);
        return CompareWithKept();
    }

    private string? CompareWithKept()
    {
        if (!kept.TryGetValue(_tree.Size, out var checkpoint))
            return null;
        if (checkpoint.Origin != _origin)
            return $"The kept checkpoint is of the log {checkpoint.Origin}, the export of {_origin}.";
        if (!checkpoint.Root.Span.SequenceEqual(_tree.Root()))
            return $"The events up to position {_tree.Size} are not those that the kept checkpoint covers.";
        _proven = _tree.Size;
        return null;
    }

    private string? CheckpointOf(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        var note = ExportLineReader.Text(ref reader, "checkpoint"u8);
        if (!Checkpoint.TryOpen(note, keys, out var checkpoint, out var why))
            return why;
        if (checkpoint.Origin != _origin)
            return $"The checkpoint is of the log {checkpoint.Origin}, the export of {_origin}.";
        if (checkpoint.Size != _tree.Size)
            return $"A checkpoint of {checkpoint.Size} events stands behind position {_tree.Size}: events are missing or too many.";
        if (!checkpoint.Root.Span.SequenceEqual(_tree.Root()))
            return $"An event between the positions {_proven + 1} and {_tree.Size} is not the one that was signed.";
        _proven = _tree.Size;
        _checkpoints++;
        ExportLine.WriteCheckpoint(canonical, note);
        return null;
    }

    private string? End(ref Utf8JsonReader reader, IBufferWriter<byte> canonical)
    {
        var last = ExportLineReader.Number(ref reader, "end"u8);
        if (last != _tree.Size)
            return $"The export says that it ends at position {last}, and it ends at {_tree.Size}.";
        var checkpoints = ExportLineReader.Number(ref reader, "checkpoints"u8);
        if (checkpoints != _checkpoints)
            return $"The export says that it has {checkpoints} checkpoints, and it has {_checkpoints}.";
        HasEnded = true;
        ExportLine.WriteEnd(canonical, last, _checkpoints);
        return null;
    }
}
