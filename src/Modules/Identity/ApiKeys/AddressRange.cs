using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>A network (CIDR, RFC 4632 and RFC 4291 §2.3), or one address.</summary>
internal readonly record struct AddressRange
{
    private const int MappedBits = 96;

    private readonly IPNetwork _network;

    private AddressRange(IPNetwork network) => _network = network;

    /// <summary>
    /// Reads <c>10.0.0.0/8</c>, <c>2001:db8::/32</c> or a single address. What a reader could take for something else is none: a shortened
    /// or octal IPv4 address, a zone, bits behind the prefix.
    /// </summary>
    public static bool TryParse(string? text, out AddressRange range)
    {
        range = default;
        if (text is null || text.Length > 50 || text.AsSpan().ContainsAny('%', '[', ']'))
            return false;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(host, out var address) || !IsWrittenPlainly(address, host))
            return false;
        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var prefix = bits;
        if (
            slash >= 0
            && (
                !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix)
                || prefix > bits
                || text[slash + 1] == '0' && text.Length > slash + 2
            )
        )
            return false;
        if (address.IsIPv4MappedToIPv6)
        {
            if (prefix < MappedBits)
                return false;
            (address, prefix) = (address.MapToIPv4(), prefix - MappedBits);
        }
        if (!TryCreate(address, prefix, out var network))
            return false;
        range = new AddressRange(network);
        return true;
    }

    /// <summary>Reads ranges that were valid when they were stored.</summary>
    public static AddressRange[] ParseAll(IReadOnlyList<string> texts) =>
        [
            .. texts.Select(text =>
                TryParse(text, out var range)
                    ? range
                    // Never left out: a range less could mean none, which is everywhere.
                    : throw new FormatException($"'{text}' is not a range of addresses.")
            ),
        ];

    public bool Contains(IPAddress address) =>
        _network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    public override string ToString() => _network.ToString();

    private static bool IsWrittenPlainly(IPAddress address, string host) =>
        address.AddressFamily == AddressFamily.InterNetworkV6
        || address.ToString().Equals(host, StringComparison.Ordinal);

    // It would drop bits behind the prefix without a word.
    private static bool TryCreate(IPAddress address, int prefix, out IPNetwork network) =>
        IPNetwork.TryParse(string.Create(CultureInfo.InvariantCulture, $"{address}/{prefix}"), out network)
        && network.BaseAddress.Equals(address);
}

/// <summary>Each of the texts is a network or an address.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AddressRangesAttribute : ValidationAttribute
{
    private const int MaxCount = 100;

    public override bool IsValid([NotNullWhen(true)] object? value) =>
        value is null
        || (
            value is ICollection { Count: <= MaxCount } texts
            && texts.Cast<string?>().All(text => AddressRange.TryParse(text, out _))
        );

    public override string FormatErrorMessage(string name) =>
        $"Give at most {MaxCount} networks or addresses, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32; a network has no bits set behind its prefix.";
}
