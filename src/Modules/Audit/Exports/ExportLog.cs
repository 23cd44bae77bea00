using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Verbatim.Evidence;
using Verbatim.Modules.Audit.Replay;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>
/// Writes the log, of all organizations, with every checkpoint, for the offline verifier; or chosen events, each with its proof. It ends with
/// the last checkpoint: what came since is not signed yet.
/// </summary>
[Command(
    "export",
    Usage = ExportArguments.Usage,
    Summary = "Writes the log, or chosen events of it, as lines of JSON that ./verify checks without a server; *.gz is compressed."
)]
internal sealed class ExportLog(EventStore events, TreeReader tree, SelectionExport selection, StreamSearch streams)
    : ICommand
{
    private const int NotesAtOnce = 1000;
    private const int FlushAt = 256 * 1024;

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var asked = ExportArguments.Read(arguments);
        if (
            await selection.FindCheckpointAsync(cancellationToken) is not { } checkpoint
            || await tree.ReadOriginAsync(cancellationToken) is not { } origin
        )
            return await RefuseAsync(output, "Nothing is signed yet: a running server signs the first checkpoint.");
        if (asked.After > checkpoint.TreeSize)
            return await RefuseAsync(
                output,
                Text($"The last checkpoint covers {checkpoint.TreeSize} events; --after is {asked.After}.")
            );
        if (asked is { Events.StreamId: { } streamId, TenantId: null })
        {
            // Events of a stream are found behind their organization.
            if (
                await streams.FindAsync(new StreamPrefix(streamId.ToString("N")), 1, cancellationToken)
                is not [var found]
            )
                return await RefuseAsync(output, $"There is no stream {streamId}.");
            asked = asked with { TenantId = found.TenantId };
        }

        if (asked.Path is null)
        {
            await WriteAsync(line =>
                output.WriteAsync(Encoding.UTF8.GetString(line.Span).AsMemory(), cancellationToken)
            );
            return 0;
        }
        await using Stream file = Create(asked.Path);
        string wrote;
        await using (
            var target = asked.Path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                ? new GZipStream(file, CompressionLevel.Fastest)
                : file
        )
            wrote = await WriteAsync(async line => await target.WriteAsync(line, cancellationToken));
        await output.WriteLineAsync($"{wrote} of {origin} to {asked.Path}.");
        return 0;

        async Task<string> WriteAsync(Func<ReadOnlyMemory<byte>, Task> write)
        {
            if (asked.Events is not { } chosen)
            {
                await WriteLogAsync(origin, asked.After, checkpoint.TreeSize, write, cancellationToken);
                return Text($"Wrote the events {asked.After + 1} to {checkpoint.TreeSize}");
            }
            var end = await selection.WriteAsync(
                checkpoint,
                chosen,
                asked.TenantId,
                asked.After,
                write,
                cancellationToken
            );
            return Text($"Wrote {end.Events} events, up to position {end.End},");
        }
    }

    private async Task WriteLogAsync(
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

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
