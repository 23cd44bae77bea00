using System.Text;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Platform.Evidence.Anchors;

/// <summary>
/// Appends each checkpoint to a file, one note behind the other with an empty line between: what <c>./verify --checkpoint</c> reads. It is on
/// the disk before it counts as kept.
/// </summary>
internal sealed class FileAnchor : IAnchorTarget
{
    private const string Setting = "Evidence:Anchor:File";

    // Notes are far smaller.
    private const int MaxNote = 64 * 1024;

    private readonly string _path;

    private FileAnchor(string path)
    {
        _path = path;
        Id = $"file:{AnchorTargets.Digest(path)}";
        Name = $"the file {path}";
    }

    public string Id { get; }

    public string Name { get; }

    /// <summary>The file of the settings; null when none is set.</summary>
    /// <exception cref="SettingException">It cannot be written.</exception>
    public static FileAnchor? Read(IConfiguration configuration)
    {
        if (AnchorTargets.Read(configuration, Setting) is not { } path)
            return null;
        if (!Path.IsPathFullyQualified(path))
            throw new SettingException(
                $"{Setting} is '{path}'; valid is a whole path like /var/lib/checkpoints/verbatim.txt, since a part of one depends on where the server is started."
            );
        try
        {
            using var file = Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SettingException(
                $"{Setting} is '{path}', which cannot be written ({e.Message.TrimEnd('.')}); valid is a file in a folder that exists and that the server may write to.",
                e
            );
        }
        return new FileAnchor(Path.GetFullPath(path));
    }

    public async Task TakeAsync(StoredCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        var note = Encoding.UTF8.GetBytes(checkpoint.Note + "\n");
        await using var file = Open(_path);
        file.Position = await EndOfNotesAsync(file, note, cancellationToken);
        await file.WriteAsync(note, CancellationToken.None);
        file.SetLength(file.Position);
        file.Flush(flushToDisk: true);
    }

    // Behind the last whole note. What a failure of the machine left of this very note is written over; anything else is not ours to touch.
    private static async Task<long> EndOfNotesAsync(FileStream file, byte[] note, CancellationToken cancellationToken)
    {
        var length = (int)Math.Min(file.Length, MaxNote);
        var tail = new byte[length];
        file.Position = file.Length - length;
        await file.ReadExactlyAsync(tail, cancellationToken);
        if (length == 0 || tail.AsSpan().EndsWith("\n\n"u8))
            return file.Length;
        for (var rest = Math.Min(length, note.Length - 1); rest > 0; rest--)
        {
            var start = length - rest;
            var isBehindNote = start == 0 ? file.Length == length : tail.AsSpan(0, start).EndsWith("\n\n"u8);
            if (isBehindNote && note.AsSpan().StartsWith(tail.AsSpan(start)))
                return file.Length - rest;
        }
        throw new InvalidDataException(
            "The file does not end with a whole checkpoint: somebody else has written to it."
        );
    }

    private static FileStream Open(string path) =>
        new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
}
