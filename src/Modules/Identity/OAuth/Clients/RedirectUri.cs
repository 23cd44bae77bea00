using System.Globalization;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>
/// Where an authorization response may go: exactly where the client was registered to get it (RFC 9700 §2.1), but for the port of a loopback
/// address, which a program on somebody's machine does not know beforehand (RFC 8252 §7.3).
/// </summary>
internal static class RedirectUri
{
    /// <summary>The most characters.</summary>
    public const int MaxLength = 2000;

    private static readonly string[] LoopbackStarts = ["http://127.0.0.1", "http://[::1]"];

    /// <summary>Whether a client may be registered with it; if not, why.</summary>
    public static bool IsRegistrable(string uri, out string why)
    {
        why = "";
        if (uri.Length is 0 or > MaxLength || uri.AsSpan().ContainsAnyExceptInRange('!', '~'))
            why = "it must be an address of visible ASCII characters, 2000 at most";
        else if (uri.Contains('#', StringComparison.Ordinal))
            why = "it must have no fragment (RFC 6749 §3.1.2)";
        else if (uri.Contains('*', StringComparison.Ordinal) || uri.Contains('\\', StringComparison.Ordinal))
            why = "it is compared character by character, so wildcards and backslashes have no place in it";
        else if (!Uri.TryCreate(uri, UriKind.Absolute, out var address))
            why = "it must be an absolute address";
        else if (address.UserInfo.Length > 0)
            why = "it must carry no user name";
        else if (!HasAllowedScheme(uri, address))
            why =
                "it must be https, http on a loopback address, or have a scheme of the application's own with a dot in it, like com.example.app:/callback";
        return why.Length == 0;
    }

    /// <summary>Whether what a request names is one of the registered.</summary>
    public static bool IsAmong(string requested, IReadOnlyList<string> registered)
    {
        if (requested.Length > MaxLength)
            return false;
        foreach (var candidate in registered)
        {
            if (string.Equals(candidate, requested, StringComparison.Ordinal) || IsSameLoopback(candidate, requested))
                return true;
        }
        return false;
    }

    private static bool HasAllowedScheme(string uri, Uri address)
    {
        // The text must begin as it is read: the parser makes letters small and cuts white space away.
        if (!uri.StartsWith(address.Scheme + ":", StringComparison.Ordinal))
            return false;
        if (address.Scheme == Uri.UriSchemeHttps)
            return address.Host.Length > 0;
        if (address.Scheme == Uri.UriSchemeHttp)
            return address.IsLoopback;
        // RFC 8252 §7.1: a private-use scheme is a domain name turned round. The dot keeps out javascript:, data:, file: and the like.
        return address.Scheme.Contains('.', StringComparison.Ordinal);
    }

    private static bool IsSameLoopback(string registered, string requested)
    {
        foreach (var start in LoopbackStarts)
        {
            if (
                registered.StartsWith(start, StringComparison.Ordinal)
                && requested.StartsWith(start, StringComparison.Ordinal)
            )
                return TryCutPort(registered.AsSpan(start.Length), out var a)
                    && TryCutPort(requested.AsSpan(start.Length), out var b)
                    && a.SequenceEqual(b);
        }
        return false;
    }

    // What follows the host: an optional port, then the path or nothing.
    private static bool TryCutPort(ReadOnlySpan<char> rest, out ReadOnlySpan<char> path)
    {
        path = rest;
        if (rest is not [':', ..])
            return rest.IsEmpty || rest[0] is '/' or '?';
        var end = rest.IndexOfAny('/', '?');
        var port = end < 0 ? rest[1..] : rest[1..end];
        path = end < 0 ? default : rest[end..];
        return port.Length is > 0 and <= 5
            && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= 65535;
    }
}
