using System.Buffers.Text;
using System.ComponentModel;
using System.Text;

namespace Verbatim.Platform.Http;

/// <summary>One page of a list.</summary>
/// <param name="Data">The rows; empty when there are none.</param>
/// <param name="NextCursor">Where the next page begins, or null on the last page.</param>
public sealed record Page<T>(
    IReadOnlyList<T> Data,
    [property: Description("Where the next page begins; null on the last page.")] string? NextCursor
);

/// <summary>The paging part of a list's query: <c>?cursor=&amp;limit=</c>.</summary>
public sealed record PageRequest
{
    /// <summary>The rows of a page when none were asked for.</summary>
    public const int DefaultLimit = 50;

    /// <summary>The most rows that a page has.</summary>
    public const int MaxLimit = 200;

    /// <summary>The <see cref="Page{T}.NextCursor"/> of the page before; none for the first page.</summary>
    [Description("The `nextCursor` of the page before; leave out for the first page.")]
    public string? Cursor { get; init; }

    /// <summary>Rows a page as the caller wrote it, 1 to <see cref="MaxLimit"/>.</summary>
    [WholeNumber(1, MaxLimit)]
    [Description("Rows a page, 1 to 200; 50 if left out.")]
    public string? Limit { get; init; }

    /// <summary>The cursor is not one that <see cref="Page{T}"/> gave.</summary>
    public static readonly HttpError InvalidCursor = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave; leave it out to begin at the first page."
    );

    /// <summary>Reads the cursor of a list that goes by an id: null on the first page.</summary>
    /// <returns>False for <see cref="InvalidCursor"/>.</returns>
    public bool TryReadIdCursor(out Guid? id)
    {
        id = null;
        if (Cursor is null)
            return true;
        if (!Http.Cursor.TryRead(Cursor, 1, out var parts) || !Guid.TryParseExact(parts[0], "N", out var read))
            return false;
        id = read;
        return true;
    }

    /// <summary>A page of rows that go by an id, of which one more than the page has was read: it tells whether there is a next page.</summary>
    /// <param name="found">The rows that were read, in order.</param>
    /// <param name="row">Makes a row of the answer.</param>
    /// <param name="id">By which the rows go.</param>
    public Page<TRow> Cut<TFound, TRow>(IReadOnlyList<TFound> found, Func<TFound, TRow> row, Func<TFound, Guid> id)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(id);
        var next = found.Count > Rows ? Http.Cursor.Write(id(found[Rows - 1]).ToString("N")) : null;
        return new Page<TRow>([.. found.Take(Rows).Select(row)], next);
    }

    /// <summary>Rows a page; <see cref="DefaultLimit"/> if none were asked for.</summary>
    public int Rows => WholeNumberAttribute.TryParse(Limit, out var rows) ? (int)rows : DefaultLimit;
}

/// <summary>
/// Opaque cursors: a short list of numbers, texts or ids behind base64url, so that clients do not come to rely on what is inside.
/// </summary>
public static class Cursor
{
    private const char Separator = '|';

    /// <summary>Packs the parts; none may contain <c>|</c>.</summary>
    public static string Write(params IReadOnlyList<string> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Separator, parts)));
    }

    /// <summary>Unpacks a cursor of exactly <paramref name="count"/> parts.</summary>
    /// <returns>False for anything that <see cref="Write"/> did not make.</returns>
    public static bool TryRead(string cursor, int count, out string[] parts)
    {
        ArgumentNullException.ThrowIfNull(cursor);
        parts = [];
        if (cursor.Length > 500 || !Base64Url.IsValid(cursor))
            return false;
        parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(Separator);
        return parts.Length == count;
    }
}
