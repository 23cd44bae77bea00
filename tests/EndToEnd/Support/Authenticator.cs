using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Verbatim.Tests.EndToEnd.Support;

/// <summary>An authenticator app (RFC 6238), written for itself so that it does not share the server's mistakes.</summary>
/// <param name="secret">In base32.</param>
public sealed class Authenticator(string secret)
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    private long _step;

    /// <summary>A code that it has not shown yet: of the step before the present one, or of the present, or of the next.</summary>
    public string Next()
    {
        _step = Math.Max(_step + 1, (DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30) - 1);
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, _step);
#pragma warning disable CA5350 // What authenticators use.
        var mac = HMACSHA1.HashData(Key(), counter);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadUInt32BigEndian(mac.AsSpan(mac[19] & 15)) & 0x7fffffff;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    private byte[] Key()
    {
        var bits = string.Concat(
            secret.Select(c => Convert.ToString(Base32.IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0'))
        );
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }
}
