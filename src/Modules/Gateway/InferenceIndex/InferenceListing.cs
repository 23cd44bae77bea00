using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Retentions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>A page of a listing.</summary>
/// <param name="Rows">Newest first.</param>
/// <param name="Next">The id before which the next page begins, or null on the last page.</param>
internal sealed record InferenceListPage(IReadOnlyList<InferenceSummary> Rows, Guid? Next);

/// <summary>
/// Lists the calls that a caller reaches. What a page costs is bounded, whatever the filters and the number of calls: it walks over so many rows,
/// and opens so many bodies to see whether the words of a text are really there, and then ends early and says where to go on.
/// </summary>
[Singleton]
internal sealed class InferenceListing(Database database, DocumentStore store, SearchKeys keys, TimeProvider time)
{
    private const int MinCandidates = 50;

    /// <summary>The rows that a page walks over at most, in each of its statements.</summary>
    public int MaxWalked { get; init; } = 50_000;

    /// <summary>The calls that a page reads from the log at most, to look for words in them.</summary>
    public int MaxOpened { get; init; } = 300;

    /// <summary>Reads one page.</summary>
    /// <param name="access">What the caller reaches.</param>
    /// <param name="filter">Which calls.</param>
    /// <param name="before">The id before which it begins; null for the first page.</param>
    /// <param name="rows">The most that are wanted. The page may have fewer, even none, and not be the last.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<InferenceListPage> ReadAsync(
        Access access,
        InferenceFilter filter,
        Guid? before,
        int rows,
        CancellationToken cancellationToken
    )
    {
        filter = await ShownAsync(access.TenantId, filter, cancellationToken);
        var sought = filter.Text is { } text ? await SoughtAsync(access.TenantId, text, cancellationToken) : null;
        var query = new IndexQuery(database, access, filter, sought?.Signature, MaxWalked);
        var from = before ?? Guid.AllBitsSet;
        var found = new List<InferenceSummary>(rows + 1);
        var opened = 0;
        while (true)
        {
            // Some of those that may have the words do not have them.
            var wanted = sought is null ? rows + 1 : Math.Max(rows + 1 - found.Count, MinCandidates);
            var candidates = await query.ReadAsync(from, wanted, cancellationToken);
            foreach (var candidate in candidates)
            {
                if (sought is null || await sought.IsSaidInAsync(store, access, candidate.Id, cancellationToken))
                    found.Add(candidate);
            }
            if (found.Count > rows)
                return new InferenceListPage(found[..rows], found[rows - 1].Id);
            if (candidates.Count < wanted)
                return new InferenceListPage(found, await query.ReadWalkedToAsync(from, cancellationToken));
            from = candidates[^1].Id;
            opened += candidates.Count;
            if (opened >= MaxOpened)
                return new InferenceListPage(found, from);
        }
    }

    // What the organization does not want to be shown any more, whether its row was removed yet or not.
    private async Task<InferenceFilter> ShownAsync(
        Guid tenantId,
        InferenceFilter filter,
        CancellationToken cancellationToken
    )
    {
        var retention = await Retention.LoadAsync(store, tenantId, cancellationToken);
        var now = time.GetUtcNow();
        var shown = filter.Text is null ? retention.ListedFrom(now) : retention.FullFrom(now);
        return shown > (filter.From ?? DateTimeOffset.MinValue) ? filter with { From = shown } : filter;
    }

    private async Task<SoughtWords> SoughtAsync(Guid tenantId, string text, CancellationToken cancellationToken) =>
        new(await keys.OfAsync(tenantId, cancellationToken), text);

    private sealed class SoughtWords
    {
        private readonly SipHash _hash;
        private readonly HashSet<ulong> _sought = [];

        public SoughtWords(SipHash hash, string text)
        {
            _hash = hash;
            new Words(hash, word => _sought.Add(word)).Add(text);
            foreach (var word in _sought)
                Signature.Add(word);
        }

        public WordSignature Signature { get; } = new();

        // Asked of the log: what cannot be read there any more is not found either, whatever the index still says.
        public async Task<bool> IsSaidInAsync(
            DocumentStore store,
            Access access,
            Guid id,
            CancellationToken cancellationToken
        )
        {
            if (await store.LoadAsync<Inference>(access, id, cancellationToken) is not { Value: var call })
                return false;
            var missing = new HashSet<ulong>(_sought);
            var words = new Words(_hash, word => missing.Remove(word));
            if (call.Request is { } request)
                BodyText.ReadRequest(request.Utf8.Span, words);
            if (call.Response is { } response)
                BodyText.ReadAnswer(response.Utf8.Span, words);
            return missing.Count == 0;
        }
    }
}
