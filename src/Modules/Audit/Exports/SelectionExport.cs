using System.Buffers;
using Verbatim.Evidence;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>What an export of chosen events came to.</summary>
/// <param name="End">The position behind which the next one goes on.</param>
/// <param name="Events">How many it has.</param>
internal sealed record SelectionEnd(long End, long Events);

/// <summary>
/// Writes chosen events, each with its proof against one checkpoint. It goes on when what it wrote was taken, and holds a page of events
/// meanwhile, and no connection.
/// </summary>
[Singleton]
internal sealed class SelectionExport(EventStore events, TreeReader tree)
{
    private const int FlushAt = 256 * 1024;

    /// <summary>The newest checkpoint; null while nothing is signed.</summary>
    public async Task<StoredCheckpoint?> FindCheckpointAsync(CancellationToken cancellationToken) =>
        await tree.ReadCheckpointsAsync(long.MaxValue, 1, cancellationToken) is [var newest] ? newest : null;

    /// <summary>Writes the whole of it.</summary>
    /// <param name="checkpoint">What is proven against, and the end of what is looked through.</param>
    /// <param name="chosen">Which events.</param>
    /// <param name="tenantId">Of which organization; null for all.</param>
    /// <param name="after">Only events behind this position.</param>
    /// <param name="write">Takes the lines.</param>
    /// <param name="cancellationToken">Ends it in the middle.</param>
    public async Task<SelectionEnd> WriteAsync(
        StoredCheckpoint checkpoint,
        ExportedEvents chosen,
        Guid? tenantId,
        long after,
        Func<ReadOnlyMemory<byte>, Task> write,
        CancellationToken cancellationToken
    )
    {
        var buffer = new ArrayBufferWriter<byte>();
        SelectionLine.WriteBegin(buffer, checkpoint.Note);
        // At once, so that who asked sees that it goes on, also when the first event takes a while to find.
        await FlushAsync();
        var prover = tree.ProveInclusions(checkpoint.TreeSize);
        var (last, count) = (after, 0L);
        var pages = events.ReadChosenAsync(chosen.Of(tenantId), after, checkpoint.TreeSize, cancellationToken);
        await foreach (var page in pages)
        {
            var taken = (int)Math.Min(page.Count, (chosen.Limit ?? long.MaxValue) - count);
            var proofs = await prover.ProveAsync([.. page.Take(taken).Select(e => e.Position)], cancellationToken);
            for (var i = 0; i < taken; i++)
            {
                var recorded = page[i];
                SelectionLine.WriteEvent(buffer, recorded.Header, recorded.Data, recorded.LeafHash, proofs[i]);
                (last, count) = (recorded.Position, count + 1);
                if (buffer.WrittenCount >= FlushAt)
                    await FlushAsync();
            }
            if (taken < page.Count)
                return await EndAsync(last, hasMore: true);
            await FlushAsync();
        }
        return await EndAsync(checkpoint.TreeSize, hasMore: false);

        async Task<SelectionEnd> EndAsync(long end, bool hasMore)
        {
            SelectionLine.WriteEnd(buffer, end, count, hasMore);
            await FlushAsync();
            return new SelectionEnd(end, count);
        }

        async Task FlushAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            await write(buffer.WrittenMemory);
            buffer.ResetWrittenCount();
        }
    }
}
