using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// Counts the tokens of a text as OpenAI's models do: byte-pair merging by a vocabulary in tiktoken's format, a line a token with its bytes in base64
/// and its rank. The text is cut before that as for <c>o200k_base</c> (openai/tiktoken, <c>tiktoken_ext/openai_public.py</c>).
/// </summary>
internal sealed partial class Vocabulary
{
    // Merging takes the square of a piece's length. Hardly any piece is longer, and what is cut off here costs a token more at the most.
    private const int LongestPiece = 256;

    // For a single piece; none of the alternatives looks at a character more than twice.
    private const int MatchTimeoutMs = 1000;

    private readonly Dictionary<byte[], int> _ranks;
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    private Vocabulary(Dictionary<byte[], int> ranks)
    {
        _ranks = ranks;
        _lookup = ranks.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>How many tokens there are.</summary>
    public int Size => _ranks.Count;

    /// <summary>Reads a file in tiktoken's format.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static Vocabulary Read(string path)
    {
        var ranks = new Dictionary<byte[], int>(Bytes.Comparer);
        foreach (var line in File.ReadLines(path))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (
                space <= 0
                || !int.TryParse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var rank)
            )
                throw new InvalidDataException("A line is no token with its rank.");
            try
            {
                ranks[Convert.FromBase64String(line[..space])] = rank;
            }
            catch (FormatException e)
            {
                throw new InvalidDataException("A token is not in base64.", e);
            }
        }
        for (var value = 0; value < 256; value++)
        {
            if (!ranks.ContainsKey([(byte)value]))
                throw new InvalidDataException("Some bytes are no tokens.");
        }
        return new Vocabulary(ranks);
    }

    /// <summary>Counts a text.</summary>
    /// <exception cref="RegexMatchTimeoutException">The machine stood still for a second.</exception>
    public long Count(ReadOnlySpan<char> text)
    {
        long tokens = 0;
        Span<byte> bytes = stackalloc byte[LongestPiece];
        foreach (var match in Pieces().EnumerateMatches(text))
        {
            var piece = text.Slice(match.Index, match.Length);
            while (!piece.IsEmpty)
            {
                Encoding.UTF8.TryGetBytes(piece, bytes, out var written);
                var taken = piece.Length;
                if (written == 0)
                {
                    // Too long: as many characters as surely fit, and no half of a pair.
                    taken = LongestPiece / 3;
                    if (char.IsHighSurrogate(piece[taken - 1]))
                        taken--;
                    written = Encoding.UTF8.GetBytes(piece[..taken], bytes);
                }
                tokens += CountPiece(bytes[..written]);
                piece = piece[taken..];
            }
        }
        return tokens;
    }

    // Of all pairs that stand beside each other the one that was learnt first is merged first, until none is left.
    private int CountPiece(ReadOnlySpan<byte> piece)
    {
        if (_lookup.ContainsKey(piece))
            return 1;
        Span<int> starts = stackalloc int[LongestPiece + 1];
        var parts = piece.Length;
        for (var i = 0; i <= parts; i++)
            starts[i] = i;
        while (parts > 1)
        {
            var best = int.MaxValue;
            var at = -1;
            for (var i = 0; i + 1 < parts; i++)
            {
                if (_lookup.TryGetValue(piece[starts[i]..starts[i + 2]], out var rank) && rank < best)
                {
                    best = rank;
                    at = i;
                }
            }
            if (at < 0)
                break;
            starts[(at + 2)..(parts + 1)].CopyTo(starts[(at + 1)..]);
            parts--;
        }
        return parts;
    }

    [GeneratedRegex(
        """
            [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
            |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
            |\p{N}{1,3}
            |[ ]?[^\s\p{L}\p{N}]+[\r\n/]*
            |\s*[\r\n]+
            |\s+(?!\S)
            |\s+
            """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant,
        MatchTimeoutMs
    )]
    private static partial Regex Pieces();

    private sealed class Bytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly Bytes Comparer = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }
    }
}
