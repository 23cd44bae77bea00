using System.Text;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>Postgres takes no U+0000 in a text and no half of a surrogate pair; the name of a model may have either.</summary>
internal static class StorableText
{
    private const char Replacement = '\uFFFD';

    /// <summary>The text with a replacement character for what cannot be stored.</summary>
    public static string Of(string text)
    {
        var isStorable = true;
        foreach (var c in text)
            isStorable &= c != '\0' && !char.IsSurrogate(c);
        return isStorable ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', Replacement);
    }
}
