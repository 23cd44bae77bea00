using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Verbatim.Evidence;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>
/// Writes the log, of all organizations, with every checkpoint, for the offline verifier. It ends with the last checkpoint: what came
/// since is not signed yet.
/// </summary>
internal sealed class ExportLog(EventStore events, TreeReader tree) : ICommand
{
    private const int NotesAtOnce = 1000;
    private const int FlushAt = 256 * 1024;

    public string Name => "export";

    public string Usage => "[--after <position>] [--output <file>]";

    public string Summary =>
        "Writes the log as lines of JSON that ./verify checks without a server; *.gz is compressed.";

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var (after, path) = Read(arguments);
        var size = await tree.ReadSizeAsync(cancellationToken);
        if (await tree.ReadOriginAsync(cancellationToken) is not { } origin || size == 0)
            return await RefuseAsync(output, "Nothing is signed yet: a running server signs the first checkpoint.");
        if (after > size)
            return await RefuseAsync(
                output,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The last checkpoint covers {size} events; --after is {after}."
                )
            );

        if (path is null)
        {
            await WriteAsync(
                origin,
                after,
                size,
                line => output.WriteAsync(Encoding.UTF8.GetString(line.Span).AsMemory(), cancellationToken),
                cancellationToken
            );
            return 0;
        }
        await using Stream file = Create(path);
        await using var target = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(file, CompressionLevel.Fastest)
            : file;
        await WriteAsync(
            origin,
            after,
            size,
            async line => await target.WriteAsync(line, cancellationToken),
            cancellationToken
        );
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Wrote the events {after + 1} to {size} of {origin} to {path}."
            )
        );
        return 0;
    }

    private async Task WriteAsync(
        string origin,
        long after,
        long size,
        Func<ReadOnlyMemory<byte>, Task> write,
        CancellationToken cancellationToken
    )
    {
        var buffer = new ArrayBufferWriter<byte>();
        ExportLine.WriteBegin(buffer, origin, after, await tree.ReadSubtreesAsync(after, cancellationToken));
        var notes = new Queue<(long TreeSize, string Note)>();
        var (last, checkpoints) = (after, 0);
        await foreach (var recorded in events.ReadAllAsync(after, cancellationToken))
        {
            if (recorded.Position > size)
                break;
            ExportLine.WriteEvent(buffer, recorded.Header, recorded.Data, recorded.LeafHash);
            last = recorded.Position;
            if (notes.Count == 0)
                notes = new(await tree.ReadNotesAsync(last - 1, size, NotesAtOnce, cancellationToken));
            if (notes.TryPeek(out var next) && next.TreeSize == last)
            {
                ExportLine.WriteCheckpoint(buffer, notes.Dequeue().Note);
                checkpoints++;
            }
            if (buffer.WrittenCount >= FlushAt)
            {
                await write(buffer.WrittenMemory);
                buffer.ResetWrittenCount();
            }
        }
        ExportLine.WriteEnd(buffer, last, checkpoints);
        await write(buffer.WrittenMemory);
    }

    private static (long After, string? Path) Read(IReadOnlyList<string> arguments)
    {
        var (after, path) = (0L, (string?)null);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
                throw new CommandUsageException($"'{arguments[i]}' needs a value, or is no option.");
            switch (arguments[i])
            {
                case "--after"
                    when long.TryParse(arguments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out after):
                    break;
                case "--after":
                    throw new CommandUsageException($"--after is a position, 0 or more, and not '{arguments[i + 1]}'.");
                case "--output":
                    path = arguments[i + 1];
                    break;
                default:
                    throw new CommandUsageException($"There is no option '{arguments[i]}'.");
            }
        }
        return (after, path);
    }

    private static FileStream Create(string path)
    {
        try
        {
            return new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandUsageException($"'{path}' cannot be written: {e.Message}");
        }
    }

    private static async Task<int> RefuseAsync(TextWriter output, string reason)
    {
        await output.WriteLineAsync(reason);
        return 1;
    }
}
