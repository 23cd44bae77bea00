using System.Diagnostics.CodeAnalysis;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>A path of this server, with its query, to which a page may lead: never to another host.</summary>
internal sealed record LocalPath
{
    private const int MaxLength = 4000;

    private LocalPath(string value) => Value = value;

    public static LocalPath Root { get; } = new("/");

    /// <summary>Begins with one slash.</summary>
    public string Value { get; }

    /// <summary>What was asked for, or <see cref="Root"/> where it is not a path of this server.</summary>
    public static LocalPath OrRoot(string? text) => TryParse(text, out var path) ? path : Root;

    /// <summary>
    /// Browsers take a backslash for a slash and drop tabs and line ends before they read an address (WHATWG URL, §4.4), so that
    /// <c>/\evil.example</c> and <c>/⇥/evil.example</c> lead away; neither is taken. Only visible ASCII is.
    /// </summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out LocalPath? path)
    {
        path = null;
        if (text is not { Length: > 0 and <= MaxLength } || text[0] != '/' || text is ['/', '/', ..])
            return false;
        if (text.Contains('\\', StringComparison.Ordinal) || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return false;
        path = new LocalPath(text);
        return true;
    }

    /// <summary>The path with <c>?returnTo=</c> this one.</summary>
    public string AsReturnOf(string page) => Value == "/" ? page : $"{page}?returnTo={Uri.EscapeDataString(Value)}";
}
