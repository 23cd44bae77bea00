using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Which streams are listed: those with an event to which all of this applies at once.</summary>
/// <param name="Type">The stream's type.</param>
/// <param name="Actor">Who caused the event.</param>
/// <param name="From">The event was recorded at this time or later.</param>
/// <param name="Before">The event was recorded earlier than this.</param>
internal sealed record StreamFilter(string? Type, string? Actor, DateTimeOffset? From, DateTimeOffset? Before)
{
    /// <summary>Tells one filter from another, so that a cursor is not carried over to a list with other filters.</summary>
    public string Fingerprint()
    {
        // Lengths in front: no two filters give the same text.
        var text = string.Join(
            '\n',
            new[] { Type, Actor, Text(From), Text(Before) }.Select(part =>
                part is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{part.Length}:{part}")
            )
        );
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }

    private static string? Text(DateTimeOffset? time) => time?.UtcTicks.ToString(CultureInfo.InvariantCulture);
}
