using System.Buffers;
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
    /// <summary>
    /// Every event is what was signed. In an export of the log none is missing between the first and the last; of chosen events
    /// <see cref="Selection"/> tells.
    /// </summary>
    public bool IsProven => Problem is null;

    /// <summary>For an export of chosen events; null for an export of the log.</summary>
    public SelectionReport? Selection { get; init; }
}

/// <summary>
/// What was found in an export of chosen events. Each event that is counted is proven to be in the log that was signed. That none was left
/// out is not proven, but for what is without a gap.
/// </summary>
/// <param name="TreeSize">The events that the checkpoint covers.</param>
/// <param name="Events">The events that are proven.</param>
/// <param name="IsWithoutGap">Their positions run without a gap from the first to the last, so between these nothing is left out.</param>
/// <param name="Streams">The streams that they are of, up to <see cref="MostStreams"/>.</param>
/// <param name="WholeStreams">
/// The streams among them of which versions run without a gap from 1: of these nothing is left out before their last event here.
/// </param>
public sealed record SelectionReport(long TreeSize, long Events, bool IsWithoutGap, int Streams, int WholeStreams)
{
    /// <summary>So many streams are followed; of further ones only the events are checked, so that memory stays bounded.</summary>
    public const int MostStreams = 500_000;
}

/// <summary>
/// Checks an export with nothing but the log's public keys: no database, no network. It hashes each event again. Of the log it builds the
/// tree, and compares its root with every checkpoint on the way; chosen events it follows up to the checkpoint that they come with.
/// Memory does not grow with the file.
/// </summary>
/// <param name="keys">The keys that are trusted.</param>
/// <param name="kept">
/// Signed notes that the auditor kept. The export must agree with those that it reaches; an export of the log must reach the largest: that
/// is what tells when its tail was cut off.
/// </param>
public sealed class ExportVerifier(IReadOnlyCollection<NoteKey> keys, IReadOnlyCollection<string> kept)
{
    private const int ReadSize = 1024 * 1024;

    // The largest event has 64 MiB, and six times as much when each of its bytes is escaped.
    private const long MaxLine = 400L * 1024 * 1024;

    private readonly Dictionary<long, Checkpoint> _kept = [];
    private readonly ArrayBufferWriter<byte> _canonical = new();
    private IExportLines? _lines;

    /// <summary>Reads to the end, or to the first thing that is wrong.</summary>
    /// <param name="export">As it was written; not compressed.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<ExportReport> VerifyAsync(Stream export, CancellationToken cancellationToken)
    {
        if (KeptNotes.Open(kept, keys, _kept) is { } problem)
            return Report(0, problem);
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
        if (_lines is not { HasEnded: true } ended || hasRest)
            return Report(
                line + 1,
                hasRest ? "The last line is cut in half." : "The export is cut off: it has no end."
            );
        return ended.Finish() is { } problem ? Report(line, problem) : Report(0, null);
    }

    private ExportReport Report(long line, string? problem) =>
        _lines?.Report(line, problem) ?? new ExportReport(0, 0, 0, 0, line, problem is null ? 0 : 1, problem);

    // Null when the line is sound.
    private string? Check(in ReadOnlySequence<byte> bytes)
    {
        if (_lines is { HasEnded: true })
            return "Something follows the end of the export.";
        var line = bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray();
        _canonical.ResetWrittenCount();
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !reader.Read())
                return "The line is not a JSON object.";
            var problem = _lines is null ? Begin(ref reader) : _lines.Check(ref reader, _canonical);
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
        IExportLines? lines = ExportLineReader.Text(ref reader, "format"u8) switch
        {
            ExportLine.Format => new LogLines(keys, _kept),
            SelectionLine.Format => new SelectionLines(keys, _kept),
            _ => null,
        };
        if (lines is null)
            return $"This is no export of the formats {ExportLine.Format} and {SelectionLine.Format}.";
        var problem = lines.Begin(ref reader, _canonical);
        if (problem is null)
            _lines = lines;
        return problem;
    }
}

/// <summary>The lines of one kind of export.</summary>
internal interface IExportLines
{
    /// <summary>The end was met.</summary>
    bool HasEnded { get; }

    /// <summary>Reads the first line, behind its format, and writes it again as it must be.</summary>
    /// <returns>What is wrong; null when it is sound.</returns>
    string? Begin(ref Utf8JsonReader reader, IBufferWriter<byte> canonical);

    /// <summary>Reads another line, and writes it again as it must be.</summary>
    /// <returns>What is wrong; null when it is sound.</returns>
    string? Check(ref Utf8JsonReader reader, IBufferWriter<byte> canonical);

    /// <summary>Behind the last line: what is wrong with the whole; null when it is sound.</summary>
    string? Finish();

    ExportReport Report(long line, string? problem);
}
