using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Data URLs (RFC 2397) and what they hold: OpenAI's wires have files as such URLs, Anthropic's as media type and base64.</summary>
internal static class Sources
{
    /// <summary>The media types of images that Anthropic's messages take.</summary>
    public static bool IsImage(string? mediaType) =>
        mediaType is "image/jpeg" or "image/png" or "image/gif" or "image/webp";

    /// <summary>What a URL says: a data URL in base64 is taken apart.</summary>
    public static Source OfUrl(JsonText url)
    {
        var escaped = url.Escaped;
        // Enough for every media type, so that no megabytes are searched.
        var head = escaped[..Math.Min(escaped.Length, 256)];
        var comma = head.IndexOf((byte)',');
        if (comma < 0 || !head.StartsWith("data:"u8))
            return new Source(SourceKind.Url, url);
        var description = JsonText.Unescape(head[5..comma]);
        if (!description.EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
            return new Source(SourceKind.Url, url);
        var semicolon = description.IndexOf(';', StringComparison.Ordinal);
        var mediaType = description[..semicolon].Trim().ToLowerInvariant();
        return new Source(SourceKind.Base64, JsonText.Quote(escaped[(comma + 1)..]), mediaType);
    }

    /// <summary>The data URL of a source in base64.</summary>
    public static JsonText ToDataUrl(Source source) =>
        JsonText.Quote(JsonText.Escape($"data:{source.MediaType};base64,"), source.Data.Escaped);

    /// <summary>The text that base64 stands for, or null where it is none.</summary>
    public static JsonText? TextOf(Source source)
    {
        var base64 = source.Data.ToString();
        var bytes = new byte[((base64.Length + 3) / 4) * 3];
        if (!Convert.TryFromBase64String(base64, bytes, out var length))
            return null;
        return System.Text.Unicode.Utf8.IsValid(bytes.AsSpan(0, length))
            ? JsonText.Of(Encoding.UTF8.GetString(bytes, 0, length))
            : null;
    }
}
