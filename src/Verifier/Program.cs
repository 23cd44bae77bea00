// verify <export> --key <public key, or a file of them> [--checkpoint <file of signed notes that you kept>]…
// Exit code 0: proven. 1: not proven, with the first wrong position and why. 2: wrong usage.
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Verbatim.Evidence;

const string Usage = """
    Usage: ./verify <export> --key <key or file> [--checkpoint <file>]...

      <export>      what './run export' or GET /api/audit/export wrote; compressed or not
      --key         a public key of the log (name+id+base64), or a file with one a line
      --checkpoint  signed checkpoints that you kept, one behind the other: show when the end of the log was cut off
    """;

var keys = new List<NoteKey>();
var kept = new List<string>();
string? path = null;
try
{
    for (var i = 0; i < args.Length; i++)
    {
        switch (args[i])
        {
            case "--key" when i + 1 < args.Length:
                keys.AddRange(ReadKeys(args[++i]));
                break;
            case "--checkpoint" when i + 1 < args.Length:
                kept.AddRange(KeptNotes.Split(await File.ReadAllTextAsync(args[++i])));
                break;
            case var option when option.StartsWith('-') || path is not null:
                throw new FormatException($"'{option}' is not understood.");
            default:
                path = args[i];
                break;
        }
    }
    if (path is null || keys.Count == 0)
        throw new FormatException("An export and a key are needed.");

    await using var file = File.OpenRead(path);
    var isCompressed = file.ReadByte() == 0x1f;
    file.Position = 0;
    await using Stream export = isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    var report = await new ExportVerifier(keys, kept).VerifyAsync(export, CancellationToken.None);
    if (report.IsProven)
    {
        Console.WriteLine(report.Selection is { } selection ? Chosen(report, selection) : Log(report));
        if (report.Selection is { TreeSize: var size } && kept.Count > 0 && !kept.Any(note => IsOf(note, size)))
            Console.WriteLine(
                "The checkpoints that you kept are of other sizes than the one in the export, and tell nothing about it: the route of consistency proofs does."
            );
        return 0;
    }
    Console.WriteLine(Text($"NOT proven. Line {report.Line}, position {report.Position}: {report.Problem}"));
    Console.WriteLine(
        report switch
        {
            { Selection.Events: > 0 and var events } => Text(
                $"Proven are the {events} events before it, up to position {report.Last}."
            ),
            { Selection: null } when report.Proven >= report.First => Text(
                $"Proven are the events {report.First} to {report.Proven}."
            ),
            _ => "Nothing is proven.",
        }
    );
    return 1;
}
catch (InvalidDataException e)
{
    Console.WriteLine($"NOT proven. The compressed file is damaged: {e.Message}");
    return 1;
}
catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync(e.Message);
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}

static string Log(ExportReport report) =>
    Text(
        $"Proven: the events {report.First} to {report.Last}, by {report.Checkpoints} checkpoints. Nothing was changed, removed or inserted."
    );

// What chosen events prove, and what they do not.
static string Chosen(ExportReport report, SelectionReport selection)
{
    if (selection.Events == 0)
        return Text($"The export has no events. Its checkpoint, of {selection.TreeSize} events, is sound.");
    var text = new StringBuilder(
        Text(
            $"Proven: each of the {selection.Events} events, at positions {report.First} to {report.Last}, is in the log of {selection.TreeSize} events that was signed, and is unchanged."
        )
    );
    text.Append(
        selection.IsWithoutGap
            ? "\nThe positions run without a gap, so none was left out between the first and the last."
            : "\nThis is a selection: it does not prove that no event was left out of it."
    );
    if (!selection.IsWithoutGap && selection.WholeStreams > 0)
        text.Append(
            Text(
                $"\nOf {selection.WholeStreams} of the {selection.Streams} streams the versions run without a gap from 1, so of these none was left out before their last event here."
            )
        );
    if (selection.Streams == SelectionReport.MostStreams)
        text.Append("\nFurther streams were not followed.");
    return text.ToString();
}

bool IsOf(string note, long size) =>
    Checkpoint.TryOpen(note, keys, out var checkpoint, out _) && checkpoint.Size == size;

static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

static IEnumerable<NoteKey> ReadKeys(string given)
{
    var texts = File.Exists(given) ? File.ReadAllLines(given).Where(l => l.Length > 0) : [given];
    foreach (var text in texts)
        yield return NoteKey.TryParse(text, out var key)
            ? key
            : throw new FormatException($"'{text}' is neither a public key (name+id+base64) nor a file.");
}
