using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Http;

/// <summary>Answers a list of documents, newest first, page by page.</summary>
public static class DocumentPages
{
    /// <summary>One page of the documents within reach.</summary>
    public static Task<Results<Ok<Page<TRow>>, ProblemHttpResult>> ListAsync<T, TRow>(
        DocumentStore store,
        Access access,
        PageRequest page,
        Func<Identified<T>, TRow> row,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> =>
        ListAsync<T, TRow>(
            store,
            access,
            page,
            filter: null,
            rows => Task.FromResult<IReadOnlyList<TRow>>([.. rows.Select(row)]),
            cancellationToken
        );

    /// <summary>One page of the documents within reach that a filter lets through.</summary>
    /// <param name="store">Where they are.</param>
    /// <param name="access">Which of them the caller reaches.</param>
    /// <param name="page">Which page.</param>
    /// <param name="filter">Which of them are wanted; null for all.</param>
    /// <param name="rows">Makes the answer's rows of the documents of a page, one each, in their order.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<Results<Ok<Page<TRow>>, ProblemHttpResult>> ListAsync<T, TRow>(
        DocumentStore store,
        Access access,
        PageRequest page,
        DocumentFilter? filter,
        Func<IReadOnlyList<Identified<T>>, Task<IReadOnlyList<TRow>>> rows,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(rows);
        if (!page.TryReadIdCursor(out var before))
            return Problems.Create(PageRequest.InvalidCursor);

        // One more than asked for tells whether there is a next page.
        var limit = page.Rows;
        var documents = await store.ListAsync<T>(access, before, limit + 1, filter, cancellationToken);
        var next = documents.Count > limit ? Cursor.Write(documents[limit - 1].Id.ToString("N")) : null;
        return TypedResults.Ok(new Page<TRow>(await rows([.. documents.Take(limit)]), next));
    }
}
