using System.Collections;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>
/// Which words a call has, in a fixed number of bits whatever its length: two bits for each (Bloom, "Space/time trade-offs in hash coding with
/// allowable errors"). A call without one of the bits of a word does not have the word; one with both may, which its bodies tell.
/// </summary>
internal sealed class WordSignature
{
    /// <summary>With a hundred words fewer than one in a hundred other words seems to be there, with a thousand four in ten.</summary>
    public const int Bits = 2048;

    private readonly int[] _words = new int[Bits / 32];

    /// <summary>No word was added.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Adds a word.</summary>
    public void Add(ulong hash)
    {
        Set((int)(hash % Bits));
        Set((int)((hash >> 32) % Bits));
        IsEmpty = false;
    }

    /// <summary>The bits, as Postgres takes them; null when there are none.</summary>
    public BitArray? ToBits() => IsEmpty ? null : new BitArray(_words);

    private void Set(int bit) => _words[bit / 32] |= 1 << (bit % 32);
}
