using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;

namespace Verbatim.Evidence;

/// <summary>What was found in an export.</summary>
/// <param name="First">The position of the first event, or of the one that would follow; 0 when not even the begin is sound.</param>
/// <param name="Last">The last event that is sound, one before <paramref name="First"/> when there is none.</param>
/// <param name="Proven">The last event that a signed checkpoint covers.</param>
/// <param name="Checkpoints">The checkpoints that were met, all of them sound.</param>
/// <param name="Line">The line of the problem, from 1; 0 if there is none.</param>
/// <param name="Position">The position that is wrong, or behind which it is; 0 if there is none.</param>
/// <param name="Problem">What is wrong, for a person; null when the export is proven from the first event to the last.</param>
public sealed record ExportReport(
    long First,
    long Last,
    long Proven,
    int Checkpoints,
    long Line,
    long Position,
    string? Problem
)
{
    /// <summary>Every event is what was signed, and none is missing between the first and the last.</summary>
    public bool IsProven => Problem is null;
}

/// <summary>
/// Checks an export with nothing but the log's public keys: no database, no network. It hashes each event again, builds the tree, and
/// compares its root with every checkpoint on the way. Memory does not grow with the file.
/// </summary>
/// <param name="keys">The keys that are trusted.</param>
/// <param name="kept">
/// Signed notes that the auditor kept. The export must agree with those that it reaches, and must reach the largest: that is what tells
/// when its tail was cut off.
/// </param>
public sealed class ExportVerifier(IReadOnlyCollection<NoteKey> keys, IReadOnlyCollection<string> kept)
{
    private const int ReadSize = 1024 * 1024;

    // The largest event has 64 MiB, and six times as much when each of its bytes is escaped.
    private const long MaxLine = 400L * 1024 * 1024;

    private readonly Dictionary<long, Checkpoint> _kept = [];
    private readonly ArrayBufferWriter<byte> _canonical = new();
    private byte[] _scratch = new byte[4096];
    private byte[] _data = new byte[4096];
    private CompactTree? _tree;
    private string _origin = "";
    private long _first;
    private long _proven;
    private int _checkpoints;
    private bool _hasEnded;

    /// <summary>Reads to the end, or to the first thing that is wrong.</summary>
    /// <param name="export">As it was written; not compressed.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<ExportReport> VerifyAsync(Stream export, CancellationToken cancellationToken)
    {
        foreach (var note in kept)
        {
            if (!Checkpoint.TryOpen(note, keys, out var checkpoint, out var why))
                return Report(0, $"The kept checkpoint is not valid: {why}");
            if (
                _kept.TryGetValue(checkpoint.Size, out var other)
                && !other.Root.Span.SequenceEqual(checkpoint.Root.Span)
            )
                return Report(0, $"Two kept checkpoints of size {checkpoint.Size} contradict each other.");
            _kept[checkpoint.Size] = checkpoint;
        }

        var lines = PipeReader.Create(export, new StreamPipeReaderOptions(bufferSize: ReadSize, leaveOpen: true));
        try
        {
            return await VerifyLinesAsync(lines, cancellationToken);
        }
        finally
        {
            await lines.CompleteAsync();
        }
    }

    private async Task<ExportReport> VerifyLinesAsync(PipeReader lines, CancellationToken cancellationToken)
    {
        long line = 0;
        while (true)
        {
            var read = await lines.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } feed)
            {
                line++;
                var next = buffer.GetPosition(1, feed);
                if (Check(buffer.Slice(0, next)) is { } problem)
                    return Report(line, problem);
                buffer = buffer.Slice(next);
            }
            if (read.IsCompleted)
                return Finish(line, hasRest: !buffer.IsEmpty);
            if (buffer.Length > MaxLine)
                return Report(line + 1, "The line is longer than any that an export has.");
            lines.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private ExportReport Finish(long line, bool hasRest)
    {
        if (!_hasEnded || hasRest)
            return Report(
                line + 1,
                hasRest ? "The last line is cut in half." : "The export is cut off: it has no end."
            );
        if (_tree!.Size > _proven)
            return Report(line, $"No checkpoint covers the events behind position {_proven}.");
        return _kept.Keys.Where(size => size > _tree.Size).Order().FirstOrDefault() is > 0 and var missing
            ? Report(
                line,
                $"The log had {missing} events when the kept checkpoint was signed; the export ends before that."
            )
            : Report(0, null);
    }

    private ExportReport Report(long line, string? problem) =>
        new(
            _first,
            _tree?.Size ?? 0,
            _proven,
            _checkpoints,
            line,
            problem is null ? 0 : (_tree?.Size ?? 0) + 1,
            problem
        );

    // Null when the line is sound.
    private string? Check(in ReadOnlySequence<byte> bytes)
    {
        if (_hasEnded)
            return "Something follows the end of the export.";
        var line = bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray();
        _canonical.ResetWrittenCount();
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !reader.Read())
                return "The line is not a JSON object.";
            var problem =
                _tree is null ? Begin(ref reader)
                : reader.ValueTextEquals("position"u8) ? Event(ref reader)
                : reader.ValueTextEquals("checkpoint"u8) ? CheckpointOf(ref reader)
                : reader.ValueTextEquals("end"u8) ? End(ref reader)
                : "The line is neither an event, nor a checkpoint, nor the end.";
            if (problem is not null)
                return problem;
        }
        catch (Exception e)
            when (e
                    is JsonException
                        or InvalidOperationException
                        or FormatException
                        or OverflowException
                        or ArgumentException
            )
        {
            return "The line is not one that an export has.";
        }
        return line.SequenceEqual(_canonical.WrittenSpan)
            ? null
            : "The line says the same in other words than an export writes: it was changed.";
    }

    private string? Begin(ref Utf8JsonReader reader)
    {
        if (Text(ref reader, "format"u8) != ExportLine.Format)
            return $"This is no export of the format {ExportLine.Format}.";
        _origin = Text(ref reader, "origin"u8);
        var after = Number(ref reader, "after"u8);
        Name(ref reader, "subtrees"u8);
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
        ExportLine.WriteBegin(_canonical, _origin, after, subtrees);
        return CompareWithKept();
    }

    private string? Event(ref Utf8JsonReader reader)
    {
        var position = Number(ref reader, "position"u8);
        var tenantId = Id(ref reader, "tenantId"u8);
        var streamId = Id(ref reader, "streamId"u8);
        var streamType = Text(ref reader, "streamType"u8);
        var version = Number(ref reader, "version"u8);
        var type = Text(ref reader, "type"u8);
        var typeVersion = (int)Number(ref reader, "typeVersion"u8);
        var time = DateTimeOffset.ParseExact(
            Text(ref reader, "time"u8),
            ExportLine.TimeFormat,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal
        );
        var header = new LeafHeader(
            position,
            tenantId,
            streamId,
            streamType,
            version,
            type,
            typeVersion,
            LeafEncoding.Microseconds(time),
            Text(ref reader, "actor"u8),
            Text(ref reader, "correlation"u8)
        );
        // Bytes that are no UTF-8 cannot stand in a JSON string.
        var isText = reader.ValueTextEquals("data"u8);
        Name(ref reader, isText ? "data"u8 : "dataBase64"u8);
        var length = reader.HasValueSequence ? (int)reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (_data.Length < length)
            _data = new byte[Math.Max(length, _data.Length * 2)];
        ReadOnlyMemory<byte> data = isText ? _data.AsMemory(0, reader.CopyString(_data)) : reader.GetBytesFromBase64();
        reader.Read();
        var recorded = Convert.FromHexString(Text(ref reader, "leafHash"u8));

        if (position != _tree!.Size + 1)
            return $"Position {_tree.Size + 1} should follow, and {position} does: events are missing, doubled or out of order.";
        Span<byte> hash = stackalloc byte[LeafEncoding.HashSize];
        LeafEncoding.Hash(ref _scratch, header, data.Span, hash);
        if (!hash.SequenceEqual(recorded))
            return $"The event at position {position} does not have its leaf hash: one of the two was changed.";
        _tree.Add(hash);
        ExportLine.WriteEvent(_canonical, header, data, recorded);
        return CompareWithKept();
    }

    private string? CompareWithKept()
    {
        if (!_kept.TryGetValue(_tree!.Size, out var checkpoint))
            return null;
        if (checkpoint.Origin != _origin)
            return $"The kept checkpoint is of the log {checkpoint.Origin}, the export of {_origin}.";
        if (!checkpoint.Root.Span.SequenceEqual(_tree.Root()))
            return $"The events up to position {_tree.Size} are not those that the kept checkpoint covers.";
        _proven = _tree.Size;
        return null;
    }

    private string? CheckpointOf(ref Utf8JsonReader reader)
    {
        var note = Text(ref reader, "checkpoint"u8);
        if (!Checkpoint.TryOpen(note, keys, out var checkpoint, out var why))
            return why;
        if (checkpoint.Origin != _origin)
            return $"The checkpoint is of the log {checkpoint.Origin}, the export of {_origin}.";
        if (checkpoint.Size != _tree!.Size)
            return $"A checkpoint of {checkpoint.Size} events stands behind position {_tree.Size}: events are missing or too many.";
        if (!checkpoint.Root.Span.SequenceEqual(_tree.Root()))
            return $"An event between the positions {_proven + 1} and {_tree.Size} is not the one that was signed.";
        _proven = _tree.Size;
        _checkpoints++;
        ExportLine.WriteCheckpoint(_canonical, note);
        return null;
    }

    private string? End(ref Utf8JsonReader reader)
    {
        var last = Number(ref reader, "end"u8);
        if (last != _tree!.Size)
            return $"The export says that it ends at position {last}, and it ends at {_tree.Size}.";
        var checkpoints = Number(ref reader, "checkpoints"u8);
        if (checkpoints != _checkpoints)
            return $"The export says that it has {checkpoints} checkpoints, and it has {_checkpoints}.";
        _hasEnded = true;
        ExportLine.WriteEnd(_canonical, last, _checkpoints);
        return null;
    }

    // The reader stands on the name; afterwards it stands on the next one, or on the end of the object.
    private static string Text(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var text = reader.GetString() ?? throw new FormatException();
        reader.Read();
        return text;
    }

    private static long Number(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var number = reader.GetInt64();
        reader.Read();
        return number;
    }

    private static Guid Id(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var id = reader.GetGuid();
        reader.Read();
        return id;
    }

    private static void Name(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(name) || !reader.Read())
            throw new FormatException();
    }
}
