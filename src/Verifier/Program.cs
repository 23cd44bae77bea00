// verify <export> --key <public key, or a file of them> [--checkpoint <file of a signed note that you kept>]…
// Exit code 0: proven. 1: not proven, with the first wrong position and why. 2: wrong usage.
using System.Globalization;
using System.IO.Compression;
using Verbatim.Evidence;

const string Usage = """
    Usage: ./verify <export> --key <key or file> [--checkpoint <file>]...

      <export>      what './run export' wrote; compressed or not
      --key         a public key of the log (name+id+base64), or a file with one a line
      --checkpoint  a signed checkpoint that you kept: shows when the end of the log was cut off
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
                kept.Add(await File.ReadAllTextAsync(args[++i]));
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
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Proven: the events {report.First} to {report.Last}, by {report.Checkpoints} checkpoints. Nothing was changed, removed or inserted."
            )
        );
        return 0;
    }
    Console.WriteLine(
        string.Create(
            CultureInfo.InvariantCulture,
            $"NOT proven. Line {report.Line}, position {report.Position}: {report.Problem}"
        )
    );
    Console.WriteLine(
        report.Proven >= report.First
            ? string.Create(CultureInfo.InvariantCulture, $"Proven are the events {report.First} to {report.Proven}.")
            : "Nothing is proven."
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

static IEnumerable<NoteKey> ReadKeys(string given)
{
    var texts = File.Exists(given) ? File.ReadAllLines(given).Where(l => l.Length > 0) : [given];
    foreach (var text in texts)
        yield return NoteKey.TryParse(text, out var key)
            ? key
            : throw new FormatException($"'{text}' is neither a public key (name+id+base64) nor a file.");
}
