using System.Globalization;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>
/// Which words a call has, in a fixed number of bits whatever its length: two bits for each (Bloom, "Space/time trade-offs in hash coding with
/// allowable errors"). A call without one of the bits of a word does not have the word; one with both may, which its bodies tell.
/// </summary>
internal sealed class WordSignature
{
    /// <summary>With a hundred words fewer than one in a hundred other words seems to be there, with a thousand four in ten.</summary>
    public const int Bits = 2048;

    private readonly byte[] _bits = new byte[Bits / 8];

    /// <summary>No word was added.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>The bits in the order in which Postgres has them: the first is the highest of the first byte.</summary>
    public byte[] Bytes => _bits;

    /// <summary>The column's type from the bytes, in SQL: to Npgsql bits are slow.</summary>
    public static string SqlOf(string bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"('x' || encode({bytes}, 'hex'))::bit({Bits})");

    /// <summary>Adds a word.</summary>
    public void Add(ulong hash)
    {
        Set((int)(hash % Bits));
        Set((int)((hash >> 32) % Bits));
        IsEmpty = false;
    }

    /// <summary>Adds all words of another.</summary>
    public void Add(WordSignature other)
    {
        for (var i = 0; i < _bits.Length; i++)
            _bits[i] |= other._bits[i];
        IsEmpty &= other.IsEmpty;
    }

    private void Set(int bit) => _bits[bit / 8] |= (byte)(0x80 >> (bit % 8));
}
