using System.Collections.Frozen;
using System.Text;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// Passwords that are tried first: everything that a small list of words, years, walks over the keyboard, sequences and repetitions comes to.
/// By rule and not by list, so that <c>Passw0rd-2027!</c> is known before anyone has lost it.
/// </summary>
internal static class CommonPasswords
{
    // A walk may change its direction this often in twelve characters.
    private const int StepsOfOneTurn = 4;

    private const string Digits = "0123456789";

    // Rows and slanted columns of the common layouts, and the alphabet.
    private static readonly string[] Walks =
    [
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertzuiop",
        "yxcvbnm",
        "azertyuiop",
        "qsdfghjklm",
        "wxcvbn",
        "1qaz",
        "2wsx",
        "3edc",
        "4rfv",
        "5tgb",
        "6yhn",
        "7ujm",
    ];

    private static readonly FrozenSet<(char, char)> Steps = Walks
        .SelectMany(walk => walk.Zip(walk.Skip(1)))
        .SelectMany(step => new[] { step, (step.Second, step.First) })
        .ToFrozenSet();

    private static readonly FrozenSet<string> Words = (
        "access account admin administrator alpha angel apple april august autumn baby banana baseball basketball batman bear blue boss "
        + "change changeme cheese chocolate city company computer cookie correct cowboy daddy database december default demo diamond dog dragon eagle "
        + "eleven enter example family february flower football forever freedom friday friend friends ginger god gold green guest hallo "
        + "happy hello helpme hockey home house hunter iloveyou internet january jesus july june killer king kitten letmein life linux "
        + "live login love lucky magic manager march master matrix may me merlin michael mickey monday money monkey monster mother mustang my mypassword "
        + "network new ninja november october office orange pass passcode passphrase password passwort pepper pizza please pokemon prince princess purple "
        + "qwerty rainbow red root sample saturday secret secure security september server shadow silver simple soccer spring staff star "
        + "starwars summer sunday sunshine super superman support system tea teacher temp temporary test tester testing the this thursday tiger "
        + "trustno tuesday unknown user verbatim wednesday welcome whatever windows winter wizard work world yellow you your is a i to"
    )
        .Split(' ')
        .ToFrozenSet(StringComparer.Ordinal);

    private static readonly int LongestWord = Words.Max(w => w.Length);

    // What people write for a letter, and the keys of digits with shift.
    private static readonly FrozenDictionary<char, char> Letters = new Dictionary<char, char>
    {
        ['@'] = 'a',
        ['4'] = 'a',
        ['3'] = 'e',
        ['1'] = 'i',
        ['!'] = 'i',
        ['0'] = 'o',
        ['$'] = 's',
        ['5'] = 's',
        ['7'] = 't',
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<char, char> Shifted = "!@#$%^&*()"
        .Zip("1234567890")
        .ToFrozenDictionary(p => p.First, p => p.Second);

    public static bool Contains(string password)
    {
        var lower = password.ToLowerInvariant();
        return IsRepetition(lower) || IsWalk(Translate(lower, Shifted)) || IsWords(lower);
    }

    // A shorter piece again and again, or hardly any different characters.
    private static bool IsRepetition(string password)
    {
        if (password.Distinct().Count() <= 3)
            return true;
        for (var length = 1; length <= password.Length / 2; length++)
        {
            var piece = password[..length];
            if (Enumerable.Range(0, password.Length).All(i => password[i] == piece[i % length]))
                return true;
        }
        return false;
    }

    private static bool IsWalk(string password)
    {
        var turns = password
            .Zip(password.Skip(1))
            .Count(step => step.First != step.Second && !Steps.Contains((step.First, step.Second)));
        return turns <= password.Length / StepsOfOneTurn;
    }

    // Common words, with years, digits and marks around and between them.
    private static bool IsWords(string password) =>
        IsMadeOfWords(OnlyLetters(password))
        || IsMadeOfWords(OnlyLetters(Translate(TrimMarks(password), Letters)))
        || IsMadeOfWords(OnlyLetters(Translate(password, Letters)));

    private static string TrimMarks(string password) =>
        password.Trim([.. password.Where(c => !char.IsLetter(c)).Distinct()]);

    private static string Translate(string text, FrozenDictionary<char, char> map) =>
        string.Concat(text.Select(c => map.GetValueOrDefault(c, c)));

    private static string OnlyLetters(string text)
    {
        var letters = new StringBuilder(text.Length);
        foreach (var c in text.Where(c => !Digits.Contains(c, StringComparison.Ordinal) && char.IsLetter(c)))
            letters.Append(c);
        return letters.ToString();
    }

    private static bool IsMadeOfWords(string letters)
    {
        if (letters.Length == 0)
            return false;
        var reachable = new bool[letters.Length + 1];
        reachable[0] = true;
        for (var end = 1; end <= letters.Length; end++)
        {
            for (var start = Math.Max(0, end - LongestWord); start < end && !reachable[end]; start++)
                reachable[end] = reachable[start] && Words.Contains(letters[start..end]);
        }
        return reachable[^1];
    }
}
