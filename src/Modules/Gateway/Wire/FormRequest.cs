using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using Microsoft.Net.Http.Headers;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>Reads requests in forms, as sound and images are sent: of all their fields only <c>model</c> matters here.</summary>
internal static class FormRequest
{
    private const int MaxBoundary = 200;

    /// <summary>Reads a body. Never throws.</summary>
    /// <param name="body">The body, which the request keeps.</param>
    /// <param name="contentType">Its content type.</param>
    /// <param name="request">What was read.</param>
    /// <param name="error">Why it is refused.</param>
    public static bool TryRead(
        ReadOnlyMemory<byte> body,
        string contentType,
        [NotNullWhen(true)] out WireRequest? request,
        [NotNullWhen(false)] out WireError? error
    )
    {
        request = null;
        if (
            !MediaTypeHeaderValue.TryParse(contentType, out var type)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= MaxBoundary } boundary
        )
        {
            error = Malformed("its content type names no boundary");
            return false;
        }
        var place = Find(body.Span, Encoding.UTF8.GetBytes("--" + boundary.Value));
        if (place is not { } found)
        {
            error = new WireError(400, "you must provide a model parameter", null, null);
            return false;
        }
        var text = found.Of(body.Span);
        if (!Utf8.IsValid(text) || text.Length is 0 or > WireRequest.MaxModelLength)
        {
            error = new WireError(
                400,
                $"Invalid 'model': expected 1 to {WireRequest.MaxModelLength} bytes of UTF-8.",
                "model",
                "invalid_value"
            );
            return false;
        }
        error = null;
        request = WireRequest.OfForm(body, contentType, Encoding.UTF8.GetString(text), found);
        return true;
    }

    // A part is its headers, an empty line, and the content up to the line break before the next boundary (RFC 2046, 5.1.1).
    private static JsonSlice? Find(ReadOnlySpan<byte> body, ReadOnlySpan<byte> delimiter)
    {
        var at = body.IndexOf(delimiter);
        while (at >= 0)
        {
            at += delimiter.Length;
            var headers = body[at..].IndexOf("\r\n\r\n"u8);
            var next = body[at..].IndexOf(delimiter);
            if (headers < 0 || next < 0)
                return null;
            if (headers < next && IsModel(Encoding.UTF8.GetString(body.Slice(at, headers))))
                return new JsonSlice(at + headers + 4, Math.Max(0, next - headers - 4 - 2));
            at += next;
        }
        return null;
    }

    private static bool IsModel(string headers)
    {
        foreach (var line in headers.Split("\r\n"))
        {
            if (
                line.StartsWith("content-disposition:", StringComparison.OrdinalIgnoreCase)
                && ContentDispositionHeaderValue.TryParse(line["content-disposition:".Length..].Trim(), out var value)
            )
                return HeaderUtilities.RemoveQuotes(value.Name).Equals("model", StringComparison.Ordinal);
        }
        return false;
    }

    private static WireError Malformed(string why) => new(400, $"We could not read your form: {why}.", null, null);
}
