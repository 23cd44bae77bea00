using System.Globalization;
using System.Runtime.InteropServices;

namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>
/// Which Claude a model name means, as far as requests differ: <c>claude-sonnet-4-5-20250929</c> is 4.5, <c>claude-3-7-sonnet-20250219</c> is
/// 3.7, <c>claude-opus-5</c> is 5.0; prefixes of other clouds do not matter.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ClaudeVersion(int Major, int Minor)
{
    private static readonly char[] Separators = ['-', '.', '/', '@', ':', '_'];

    /// <summary>
    /// From 4.6 on models decide themselves how much to think, guided by <c>output_config.effort</c>; earlier ones take a budget only, later ones
    /// refuse it (Claude documentation, "Adaptive thinking").
    /// </summary>
    public bool ThinksAdaptively => this is { Major: > 4 } or { Major: 4, Minor: >= 6 };

    /// <summary>From 4.7 on <c>temperature</c>, <c>top_p</c> and <c>top_k</c> are refused (Claude documentation, "What's new in Claude Opus 4.7").</summary>
    public bool RefusesSampling => this is { Major: > 4 } or { Major: 4, Minor: >= 7 };

    /// <summary>The version in a name. A name that has none is taken for the earlier kind, which takes what it always took.</summary>
    public static ClaudeVersion Of(string model)
    {
        var at = model.IndexOf("claude", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return default;
        int? major = null;
        foreach (var word in model[at..].Split(Separators))
        {
            // Longer numbers are dates.
            var isNumber =
                word.Length is 1 or 2 && int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out _);
            if (!isNumber)
            {
                if (major is not null)
                    break;
                continue;
            }
            var number = int.Parse(word, CultureInfo.InvariantCulture);
            if (major is { } m)
                return new ClaudeVersion(m, number);
            major = number;
        }
        return new ClaudeVersion(major ?? 0, 0);
    }
}
