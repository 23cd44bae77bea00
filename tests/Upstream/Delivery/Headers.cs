using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>The headers that commands add to an answer.</summary>
internal static class Headers
{
    /// <summary>
    /// Fields that concern one connection and that an intermediary must not pass on (RFC 9110, 7.6.1), one of them
    /// known as such only because Connection names it. Kestrel allows no such word there, so they go past it.
    /// </summary>
    private static readonly KeyValuePair<string, string>[] Hop =
    [
        new("connection", "x-hop"),
        new("x-hop", "only for the next hop"),
        new("keep-alive", "timeout=5"),
        new("proxy-authenticate", "Basic realm=\"fake\""),
        new("proxy-connection", "keep-alive"),
        new("te", "trailers"),
        new("upgrade", "h2c"),
    ];

    public static List<KeyValuePair<string, string>> Of(
        Answer answer,
        CommandSet commands,
        IReadOnlyList<KeyValuePair<string, string>> providers,
        Stamp stamp
    )
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (answer.Parts.Length > 0)
            headers.Add(new("content-type", answer.ContentType));
        if (answer.Stamped is { } stamped)
            headers.Add(new(stamped.Name, stamped.ValueOf(stamp)));
        if (commands.ProviderHeaders)
            headers.AddRange(providers);
        if (commands.HopHeaders)
            headers.AddRange(Hop);
        if (commands.RetryAfter is { } retryAfter)
            headers.Add(new("retry-after", retryAfter));
        headers.AddRange(commands.Headers);
        return headers;
    }
}
