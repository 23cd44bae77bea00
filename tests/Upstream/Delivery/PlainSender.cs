using System.Buffers;

namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>Sends an answer that no command disturbs: the path that a benchmark takes.</summary>
internal static class PlainSender
{
    public static Task SendAsync(HttpContext context, Answer answer, Stamp stamp)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        if (answer.Parts.Length > 0)
            response.ContentType = answer.ContentType;
        if (answer.Stamped is { } stamped)
            response.Headers[stamped.Name] = stamped.ValueOf(stamp);
        if (answer.IsStream)
            return SendEventsAsync(response, answer, stamp);

        response.ContentLength = answer.Length;
        return answer.Parts.Length is 0 ? Task.CompletedTask : SendBodyAsync(response, answer.Parts[0], stamp);
    }

    private static async Task SendBodyAsync(HttpResponse response, Part part, Stamp stamp)
    {
        // The first write takes the headers along: one pass through Kestrel instead of two.
        var buffer = ArrayPool<byte>.Shared.Rent(part.Bytes.Length);
        part.CopyTo(buffer, stamp);
        await response.Body.WriteAsync(buffer.AsMemory(0, part.Bytes.Length));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static async Task SendEventsAsync(HttpResponse response, Answer answer, Stamp stamp)
    {
        foreach (var part in answer.Parts)
        {
            Write(response, part, stamp);
            var flushed = await response.BodyWriter.FlushAsync();
            if (flushed.IsCompleted)
                return;
        }
    }

    private static void Write(HttpResponse response, Part part, Stamp stamp)
    {
        var span = response.BodyWriter.GetSpan(part.Bytes.Length);
        part.CopyTo(span, stamp);
        response.BodyWriter.Advance(part.Bytes.Length);
    }
}
