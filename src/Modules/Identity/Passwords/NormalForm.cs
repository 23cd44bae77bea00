using System.Collections.Frozen;
using System.Text;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// Brings a password into the one form in which it is hashed: some keyboards send a letter and its mark as two characters, others as one (NIST SP
/// 800-63B §3.1.1.2 asks for Unicode normalization). The runtime's own normalization needs ICU, which this product does without, so this
/// composes (Unicode Standard Annex #15) the letters of European and Vietnamese keyboards, and leaves everything else as it was typed.
/// </summary>
internal static class NormalForm
{
    private static readonly (char Mark, string Letters, string Composed)[] Compositions =
    [
        ('\u0300', "AEIOUaeiouNnÂâÊêÔôĂă", "ÀÈÌÒÙàèìòùǸǹẦầỀềỒồẰằ"),
        ('\u0301', "AEIOUYaeiouyCcLlNnRrSsZzÂâÊêÔôĂă", "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹźẤấẾếỐốẮắ"),
        ('\u0302', "AEIOUaeiouCcGgHhJjSsWwYyẠạẸẹỌọ", "ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷẬậỆệỘộ"),
        ('\u0303', "ANOanoIiUuEeYyÂâÊêÔôĂă", "ÃÑÕãñõĨĩŨũẼẽỸỹẪẫỄễỖỗẴẵ"),
        ('\u0304', "AEIOUaeiou", "ĀĒĪŌŪāēīōū"),
        ('\u0306', "AaEeGgIiOoUuИиУуẠạ", "ĂăĔĕĞğĬĭŎŏŬŭЙйЎўẶặ"),
        ('\u0307', "CcEeGgZzI", "ĊċĖėĠġŻżİ"),
        ('\u0308', "AEIOUYaeiouyЕеІі", "ÄËÏÖÜŸäëïöüÿЁёЇї"),
        ('\u0309', "AaEeIiOoUuYyÂâÊêÔôĂă", "ẢảẺẻỈỉỎỏỦủỶỷẨẩỂểỔổẲẳ"),
        ('\u030A', "AaUu", "ÅåŮů"),
        ('\u030B', "OoUu", "ŐőŰű"),
        ('\u030C', "CcDdEeLlNnRrSsTtZz", "ČčĎďĚěĽľŇňŘřŠšŤťŽž"),
        ('\u031B', "OoUu", "ƠơƯư"),
        ('\u0323', "AaEeIiOoUuYy", "ẠạẸẹỊịỌọỤụỴỵ"),
        ('\u0327', "CcGgKkLlNnRrSsTt", "ÇçĢģĶķĻļŅņŖŗŞşŢţ"),
        ('\u0328', "AaEeIiOoUu", "ĄąĘęĮįǪǫŲų"),
    ];

    private static readonly FrozenDictionary<(char Letter, char Mark), char> Composed = Compositions
        .SelectMany(c => c.Letters.Zip(c.Composed, (letter, composed) => (Key: (letter, c.Mark), composed)))
        .ToFrozenDictionary(c => c.Key, c => c.composed);

    /// <summary>The same text with each letter and its mark as one character.</summary>
    public static string Compose(string text)
    {
        if (System.Text.Ascii.IsValid(text))
            return text;
        var composed = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (composed.Length > 0 && Composed.TryGetValue((composed[^1], c), out var whole))
                composed[^1] = whole;
            else
                composed.Append(c);
        }
        return composed.ToString();
    }
}
