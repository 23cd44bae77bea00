using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>
/// Time-based one-time passwords (RFC 6238) as every authenticator app makes them: HMAC-SHA-1, six digits, steps of thirty seconds.
/// </summary>
internal static class Totp
{
    public const int Digits = 6;
    public const int StepSeconds = 30;

    /// <summary>RFC 4226 §4, R6: 160 bits are recommended.</summary>
    public const int SecretSize = 20;

    private const int Modulus = 1_000_000;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The time step that an instant is in.</summary>
    public static long StepAt(DateTimeOffset instant) => instant.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The code of a step (RFC 4226 §5.3).</summary>
    public static string CodeOf(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // As a MAC SHA-1 is sound, and authenticators know no other.
        HMACSHA1.HashData(secret, counter, mac);
#pragma warning restore CA5350
        var offset = mac[^1] & 0xf;
        var number = BinaryPrimitives.ReadInt32BigEndian(mac[offset..]) & int.MaxValue;
        return (number % Modulus).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// The step whose code this is: the present one, or one beside it for clocks that are a little off (RFC 6238 §5.2); null for none of them.
    /// </summary>
    public static long? FindStep(ReadOnlySpan<byte> secret, string code, DateTimeOffset now)
    {
        long? found = null;
        var present = StepAt(now);
        // All three are compared, however soon one fits.
        for (var step = present - 1; step <= present + 1; step++)
        {
            if (
                CryptographicOperations.FixedTimeEquals(
                    System.Text.Encoding.UTF8.GetBytes(CodeOf(secret, step)),
                    System.Text.Encoding.UTF8.GetBytes(code)
                )
            )
                found = step;
        }
        return found;
    }

    /// <summary>The secret as people type it into an authenticator (RFC 4648 §6, without padding).</summary>
    public static string ToBase32(ReadOnlySpan<byte> secret)
    {
        var text = new System.Text.StringBuilder((secret.Length * 8 / 5) + 1);
        var (buffer, bits) = (0, 0);
        foreach (var value in secret)
        {
            buffer = (buffer << 8) | value;
            for (bits += 8; bits >= 5; bits -= 5)
                text.Append(Base32[(buffer >> (bits - 5)) & 31]);
            buffer &= (1 << bits) - 1;
        }
        if (bits > 0)
            text.Append(Base32[(buffer << (5 - bits)) & 31]);
        return text.ToString();
    }

    /// <summary>What a QR code carries ("Key Uri Format" of Google Authenticator's wiki, which all apps read).</summary>
    public static string UriOf(ReadOnlySpan<byte> secret, string issuer, string account) =>
        $"otpauth://totp/{Uri.EscapeDataString(issuer)}:{Uri.EscapeDataString(account)}?secret={ToBase32(secret)}&issuer={Uri.EscapeDataString(issuer)}&algorithm=SHA1&digits={Digits}&period={StepSeconds}";
}
