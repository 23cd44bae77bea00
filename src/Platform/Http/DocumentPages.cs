using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Http;

/// <summary>Answers a list of documents, newest first, page by page.</summary>
public static class DocumentPages
{
    /// <summary>One page of the documents within reach.</summary>
    public static async Task<Results<Ok<Page<TRow>>, ProblemHttpResult>> ListAsync<T, TRow>(
        DocumentStore store,
        Access access,
        PageRequest page,
        Func<Identified<T>, TRow> row,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(row);
        Guid? before = null;
        if (page.Cursor is { } cursor)
        {
            if (!Cursor.TryRead(cursor, 1, out var parts) || !Guid.TryParseExact(parts[0], "N", out var id))
                return Problems.BadRequest(
                    "invalid-cursor",
                    "The cursor is not one that this list gave; leave it out to begin at the first page."
                );
            before = id;
        }

        // One more than asked for tells whether there is a next page.
        var limit = page.Rows;
        var documents = await store.ListAsync<T>(access, before, limit + 1, cancellationToken);
        var next = documents.Count > limit ? Cursor.Write(documents[limit - 1].Id.ToString("N")) : null;
        return TypedResults.Ok(new Page<TRow>([.. documents.Take(limit).Select(row)], next));
    }
}
