using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>Reads a request's body whole, up to a limit.</summary>
internal static class RequestBody
{
    private const int FirstSize = 16 * 1024;

    /// <returns>The bytes in an array of their own, or null when there are more than <paramref name="limit"/>.</returns>
    public static async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(
        HttpRequest request,
        int limit,
        CancellationToken cancellationToken
    )
    {
        if (request.ContentLength > limit)
            return null;
        // The array outlives the request when a send that was given up still reads it, so it is not from a pool.
        var body = GC.AllocateUninitializedArray<byte>((int)(request.ContentLength ?? FirstSize));
        var length = 0;
        while (true)
        {
            if (length == body.Length)
            {
                if (length == request.ContentLength)
                    break;
                if (length > limit)
                    return null;
                Array.Resize(ref body, Math.Min(body.Length * 2, limit + 1));
            }
            var read = await request.Body.ReadAsync(body.AsMemory(length), cancellationToken);
            if (read == 0)
                break;
            length += read;
        }
        return length > limit ? null : body.AsMemory(0, length);
    }
}
