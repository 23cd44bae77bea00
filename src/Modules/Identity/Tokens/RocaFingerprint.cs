using System.Numerics;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Recognizes RSA keys of the ROCA generator (CVE-2017-15361), which can be factored. Its primes have the form
/// k·M + (65537^a mod M) where M is a product of small primes, so that the modulus is a power of 65537 modulo each
/// of them. A sound modulus passes for one with a probability of about 2^-154. Source: Nemec, Sys, Svenda, Klinec,
/// Matyas, "The Return of Coppersmith's Attack", ACM CCS 2017, section 2.
/// </summary>
internal static class RocaFingerprint
{
    // The odd primes among those that the generator used for every size of key.
    // csharpier-ignore
    private static ReadOnlySpan<byte> Primes =>
    [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];

    /// <summary>Whether the modulus, big-endian, shows the fingerprint.</summary>
    public static bool Matches(ReadOnlySpan<byte> modulus)
    {
        var n = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        foreach (var prime in Primes)
        {
            if (!IsPowerOfGenerator((int)(n % prime), prime))
                return false;
        }

        return true;
    }

    private static bool IsPowerOfGenerator(int residue, int prime)
    {
        var power = 1;
        do
        {
            if (power == residue)
                return true;
            power = power * (65537 % prime) % prime;
        } while (power != 1);
        return false;
    }
}
