using Verbatim.Platform.Http;

namespace Verbatim.Modules.Operations;

/// <summary>Cursors of lists that go from the newest id to the oldest.</summary>
internal static class IdCursor
{
    public static readonly HttpError Invalid = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave; leave it out to begin at the first page."
    );

    public static string Write(Guid id) => Cursor.Write(id.ToString("N"));

    public static bool TryRead(string? cursor, out Guid? before)
    {
        before = null;
        if (cursor is null)
            return true;
        if (!Cursor.TryRead(cursor, 1, out var parts) || !Guid.TryParseExact(parts[0], "N", out var id))
            return false;
        before = id;
        return true;
    }
}
