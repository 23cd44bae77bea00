using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http.Door;

/// <summary>
/// Where a request comes from, as limits count it: an IPv4 address, or the /64 of an IPv6 address, since whoever has one address of it has all.
/// </summary>
public static class ClientNetwork
{
    private const int PrefixBytes = 8;

    /// <summary>The network of the client; <c>unknown</c> where there is no address, so that all of these share one limit.</summary>
    public static string Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Of(context.Connection.RemoteIpAddress);
    }

    /// <summary>The network of an address.</summary>
    public static string Of(IPAddress? address)
    {
        if (address is null)
            return "unknown";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address.ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[PrefixBytes..].Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
