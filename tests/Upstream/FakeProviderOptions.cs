using System.Net;

namespace Verbatim.Tests.Upstream;

/// <summary>How a <see cref="FakeProvider"/> runs. The defaults are those of a test.</summary>
public sealed class FakeProviderOptions
{
    /// <summary>Where it listens; port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>
    /// Keep every request in <see cref="FakeProvider.Requests"/>. Off for load: nothing then grows with the number of
    /// requests, and commands that need a memory of earlier ones are refused.
    /// </summary>
    public bool Record { get; init; } = true;

    /// <summary>The clock of <c>created</c>, of delays and of the records.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal static bool IsLoopback(string url, out IPEndPoint endpoint)
    {
        endpoint = new IPEndPoint(IPAddress.Loopback, 0);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || !uri.IsLoopback || uri.AbsolutePath is not "/")
            return false;
        if (!string.Equals(uri.Scheme, Uri.UriSchemeHttp, StringComparison.Ordinal))
            return false;
        endpoint = new IPEndPoint(
            uri.HostNameType is UriHostNameType.IPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback,
            uri.Port
        );
        return true;
    }
}
