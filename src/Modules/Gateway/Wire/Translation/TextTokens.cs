using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// How many tokens a text has, as a rule without a tokenizer's vocabulary. The text is cut where tokenizers cut before they look anything up (words with the
/// space before them, numbers by three digits, signs, line ends), and every kind of piece counts what it costs on average. What a word costs
/// depends on its length, its script, and on the language around it, of which short words tell.
/// </summary>
/// <remarks>
/// The costs were fitted by least squares, none below zero, to what OpenAI's o200k_base counts in prose of twenty languages, source code, JSON and
/// chats with emoji; <c>TokenEstimateErrorTests</c> measures what is left, and docs/gateway.md has the figures.
/// </remarks>
internal static class TextTokens
{
    // Up to 3, 6, 9 and 12 letters; the last is for every twelve letters of a longer word.
    private static readonly double[] OfEnglish = [1.017, 0.873, 1.112, 1.212, 2.087];
    private static readonly double[] OfNear = [0.167, 1.344, 1.744, 2.121, 2.595];
    private static readonly double[] OfFar = [1.285, 0.703, 1.824, 2.803, 1.49];

    private const double Glued = 0.108;
    private const double AfterSign = 0.337;
    private const double OfCapitals = 1.643;
    private const double OfCapital = 0.08;
    private const double OfMarkedWord = 0.215;
    private const double OfMarkedLetter = 0.35;
    private const double OfIdeographRun = 0.44;
    private const double OfHan = 0.721;
    private const double OfKana = 0.665;
    private const double OfHangulWord = 0.42;
    private const double OfHangul = 0.557;
    private const double OfCyrillicWord = 1.793;
    private const double OfOtherLetter = 0.401;
    private const double OfDigits = 1.138;
    private const double OfLineEnd = 1.291;
    private const double OfSpace = 0.992;
    private const double OfSigns = 0.997;
    private const double OfFurtherSign = 0.211;
    private const double OfWideSign = 0.376;
    private const double OfEmojiRun = 0.374;
    private const double OfEmoji = 1.835;
    private const double OfSymbol = 1.248;

    // The commonest words of languages whose words vocabularies have as a whole, nearly so (French, Spanish, Portuguese), or in pieces.
    private static readonly FrozenDictionary<string, Tongue> CommonWords = Words(
            Tongue.English,
            "the of and to in is that for it as with on are be this by from or have not but you an at which was"
        )
        .Concat(
            Words(
                Tongue.Near,
                "le la les et est une dans que pour du un el los las por con y os da em do uma des pas sur ne su ce au"
            )
        )
        .Concat(
            Words(
                Tongue.Far,
                "der die das und ist nicht ein eine zu mit auf von dem im il di che per della lo non het een van nie na w z jest det som att ikke til og av hogy az egy je"
            )
        )
        .ToFrozenDictionary(static w => w.Key, static w => w.Value, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, Tongue>.AlternateLookup<ReadOnlySpan<char>> Common =
        CommonWords.GetAlternateLookup<ReadOnlySpan<char>>();

    private const int LongestCommonWord = 5;

    private static Vocabulary? s_vocabulary;

    /// <summary>From now on texts are counted by a vocabulary, for the whole process.</summary>
    public static void Use(Vocabulary vocabulary) => Volatile.Write(ref s_vocabulary, vocabulary);

    /// <summary>Estimates a text; by a vocabulary, where there is one.</summary>
    public static double Estimate(ReadOnlySpan<char> text)
    {
        if (Volatile.Read(ref s_vocabulary) is not { } vocabulary)
            return Fitted(text);
        try
        {
            return vocabulary.Count(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return Fitted(text);
        }
    }

    /// <summary>Estimates a text by what its pieces cost on average.</summary>
    public static double Fitted(ReadOnlySpan<char> text) => new Scan(text).Run();

    private static IEnumerable<KeyValuePair<string, Tongue>> Words(Tongue tongue, string words) =>
        words.Split(' ').Select(word => KeyValuePair.Create(word, tongue));

    private enum Tongue
    {
        English,
        Near,
        Far,
    }

    private enum Kind
    {
        None,
        Small,
        Capital,
        MarkedSmall,
        MarkedCapital,
        Han,
        Kana,
        Hangul,
        Cyrillic,
        OtherLetter,

        // What is no letter, from here on.
        Digit,
        LineEnd,
        Space,

        // Signs, from here on.
        Sign,
        WideSign,
        Emoji,
        Symbol,
    }

    private enum Lead
    {
        None,
        Space,
        Sign,
    }

    private ref struct Scan(ReadOnlySpan<char> text)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private readonly double[] _words = new double[OfEnglish.Length];
        private int _at;
        private double _tokens;
        private Lead _lead;

        // A text that says nothing of its language is most often English, or code.
        private double _english = 1;
        private double _near = 0.2;
        private double _far = 0.3;

        public double Run()
        {
            while (_at < _text.Length)
            {
                var kind = KindAt(_at, out _);
                if (kind < Kind.Digit)
                    Word();
                else if (kind == Kind.Digit)
                    Digits();
                else if (kind is Kind.LineEnd or Kind.Space)
                    Spaces();
                else
                    Signs();
            }
            var all = _english + _near + _far;
            for (var i = 0; i < _words.Length; i++)
                _tokens += _words[i] * ((OfEnglish[i] * _english) + (OfNear[i] * _near) + (OfFar[i] * _far)) / all;
            return _tokens;
        }

        // A small letter before a capital ends a word, as in getUserName; capitals before a small letter belong to it.
        private void Word()
        {
            var start = _at;
            var letters = default(Letters);
            while (KindAt(_at, out var length) is Kind.Capital or Kind.MarkedCapital)
                Take(ref letters, length);
            letters.Capitals = letters.Count;
            while (
                KindAt(_at, out var length) is var kind
                && kind is > Kind.None and < Kind.Digit and not (Kind.Capital or Kind.MarkedCapital)
            )
                Take(ref letters, length);

            if (letters.Han + letters.Kana > 0)
                _tokens +=
                    OfIdeographRun
                    + (letters.Han * OfHan)
                    + (letters.Kana * OfKana)
                    + ((letters.Count - letters.Han - letters.Kana) * OfOtherLetter);
            else if (letters.Hangul > 0)
                _tokens += OfHangulWord + (letters.Hangul * OfHangul);
            else if (letters.Cyrillic > 0)
                _tokens += OfCyrillicWord;
            else if (letters.Other > 0)
                _tokens += letters.Count * OfOtherLetter;
            else
                Latin(_text[start.._at], letters);
            Contraction();
            _lead = Lead.None;
        }

        private void Latin(ReadOnlySpan<char> word, Letters letters)
        {
            _tokens += _lead switch
            {
                Lead.None => Glued,
                Lead.Sign => AfterSign,
                _ => 0,
            };
            if (letters.Marked > 0)
            {
                _tokens += OfMarkedWord + (letters.Count * OfMarkedLetter);
                if (letters.HasFarMark)
                    _far++;
                else
                    _near++;
                return;
            }
            if (letters.Capitals == letters.Count && letters.Count > 1)
            {
                _tokens += OfCapitals + (letters.Count * OfCapital);
                return;
            }
            var bucket = Math.Min((letters.Count - 1) / 3, 4);
            _words[bucket] += bucket == 4 ? letters.Count / 12.0 : 1;
            if (word.Length > LongestCommonWord || !Common.TryGetValue(word, out var tongue))
                return;
            if (tongue == Tongue.English)
                _english++;
            else if (tongue == Tongue.Near)
                _near++;
            else
                _far++;
        }

        // 's, 't, 're … belong to the word before them.
        private void Contraction()
        {
            if (_at + 1 >= _text.Length || _text[_at] is not ('\'' or '’'))
                return;
            var rest = _text[(_at + 1)..];
            foreach (var ending in (ReadOnlySpan<string>)["s", "t", "m", "d", "re", "ve", "ll"])
            {
                if (
                    rest.StartsWith(ending, StringComparison.OrdinalIgnoreCase)
                    && (rest.Length == ending.Length || !char.IsAsciiLetter(rest[ending.Length]))
                )
                {
                    _at += 1 + ending.Length;
                    return;
                }
            }
        }

        private void Digits()
        {
            var count = 0;
            while (KindAt(_at, out var length) == Kind.Digit)
            {
                _at += length;
                count++;
            }
            _tokens += (count + 2) / 3 * OfDigits;
            _lead = Lead.None;
        }

        // White space up to the last line end is one piece; of the spaces behind it the last belongs to what follows, unless that is a number.
        private void Spaces()
        {
            var hasLineEnd = false;
            var spaces = 0;
            while (KindAt(_at, out var length) is Kind.LineEnd or Kind.Space)
            {
                var isLineEnd = _text[_at] is '\n' or '\r';
                hasLineEnd |= isLineEnd;
                spaces = isLineEnd ? 0 : spaces + 1;
                _at += length;
            }
            if (hasLineEnd)
                _tokens += OfLineEnd;
            var next = KindAt(_at, out _);
            if (spaces > 1 || (spaces == 1 && next is Kind.None or Kind.Digit))
                _tokens += OfSpace;
            if (spaces > 1 && next == Kind.Digit)
                _tokens += OfSpace;
            _lead = spaces > 0 ? Lead.Space : Lead.None;
        }

        private void Signs()
        {
            var (signs, wide, emoji, symbols) = (0, 0, 0, 0);
            while (KindAt(_at, out var length) is var kind and >= Kind.Sign)
            {
                _at += length;
                switch (kind)
                {
                    case Kind.Sign:
                        signs++;
                        break;
                    case Kind.WideSign:
                        wide++;
                        break;
                    case Kind.Emoji:
                        emoji++;
                        break;
                    default:
                        symbols++;
                        break;
                }
            }
            // A single sign belongs to the word behind it.
            if (
                (signs, wide + emoji + symbols) == (1, 0)
                && _lead != Lead.Space
                && KindAt(_at, out _) is > Kind.None and < Kind.Digit
            )
            {
                _lead = Lead.Sign;
                return;
            }
            if (signs > 0)
                _tokens += OfSigns + (Math.Max(0, signs - 2) * OfFurtherSign);
            if (emoji > 0)
                _tokens += OfEmojiRun + (emoji * OfEmoji);
            _tokens += (wide * OfWideSign) + (symbols * OfSymbol);
            _lead = Lead.None;
            // Line ends and slashes belong to the signs before them.
            while (_at < _text.Length && _text[_at] is '\n' or '\r' or '/')
                _at++;
        }

        private void Take(ref Letters letters, int length)
        {
            letters.Count++;
            switch (KindAt(_at, out _))
            {
                case Kind.Han:
                    letters.Han++;
                    break;
                case Kind.Kana:
                    letters.Kana++;
                    break;
                case Kind.Hangul:
                    letters.Hangul++;
                    break;
                case Kind.Cyrillic:
                    letters.Cyrillic++;
                    break;
                case Kind.OtherLetter:
                    letters.Other++;
                    break;
                case Kind.MarkedSmall or Kind.MarkedCapital:
                    letters.Marked++;
                    letters.HasFarMark |=
                        _text[_at] > 'ÿ' || "äöüßåæøÄÖÜ".Contains(_text[_at], StringComparison.Ordinal);
                    break;
                default:
                    break;
            }
            _at += length;
        }

        private readonly Kind KindAt(int at, out int length)
        {
            length = 1;
            if (at >= _text.Length)
                return Kind.None;
            var c = _text[at];
            if (c < 0x80)
                return c is >= 'a' and <= 'z' ? Kind.Small
                    : c is >= 'A' and <= 'Z' ? Kind.Capital
                    : c is >= '0' and <= '9' ? Kind.Digit
                    : c is '\n' or '\r' ? Kind.LineEnd
                    : c is ' ' or '\t' ? Kind.Space
                    : Kind.Sign;
            if (Rune.DecodeFromUtf16(_text[at..], out var rune, out length) != System.Buffers.OperationStatus.Done)
                return Kind.Symbol;
            return KindOf(rune);
        }
    }

    private static Kind KindOf(Rune rune)
    {
        // Blocks of the Unicode Standard.
        switch (rune.Value)
        {
            case 0x30FB:
                return Kind.WideSign;
            case (>= 0x3040 and <= 0x30FF) or (>= 0xFF66 and <= 0xFF9F):
                return Kind.Kana;
            case >= 0xAC00 and <= 0xD7A3:
                return Kind.Hangul;
            case (>= 0x4E00 and <= 0x9FFF)
            or (>= 0x3400 and <= 0x4DBF)
            or (>= 0x20000 and <= 0x3FFFF)
            or (>= 0xF900 and <= 0xFAFF)
            or 0x3005:
                return Kind.Han;
            case (>= 0x2E80 and <= 0xD7FF) or (>= 0xFE30 and <= 0xFE4F) or (>= 0xFF00 and <= 0xFFEF):
                return Kind.WideSign;
            case 0x200D
            or 0xFE0F
            or (>= 0x1F000 and <= 0x1FAFF)
            or (>= 0x2600 and <= 0x27BF)
            or (>= 0x2B00 and <= 0x2BFF)
            or (>= 0x2300 and <= 0x23FF):
                return Kind.Emoji;
            default:
                break;
        }
        var isLatin = rune.Value is < 0x250 or (>= 0x1E00 and <= 0x1EFF);
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter when isLatin => Kind.MarkedCapital,
            <= UnicodeCategory.EnclosingMark => isLatin ? Kind.MarkedSmall
            : rune.Value is >= 0x400 and <= 0x52F ? Kind.Cyrillic
            : Kind.OtherLetter,
            UnicodeCategory.SpaceSeparator => Kind.Space,
            >= UnicodeCategory.DecimalDigitNumber and <= UnicodeCategory.OtherNumber => Kind.Digit,
            _ => Kind.Symbol,
        };
    }

    private struct Letters
    {
        public int Count;
        public int Capitals;
        public int Han;
        public int Kana;
        public int Hangul;
        public int Cyrillic;
        public int Other;
        public int Marked;
        public bool HasFarMark;
    }
}
