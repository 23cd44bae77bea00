using System.Text.RegularExpressions;

namespace Verbatim.Tests.Architecture;

/// <summary>A file of C#.</summary>
/// <param name="Path">Relative to the repository, with slashes.</param>
/// <param name="Text">As it is written.</param>
internal sealed partial record SourceFile(string Path, string Text)
{
    /// <summary>The text without comments and plain strings: what is done, not what is said. Lines stay where they are.</summary>
    public string Code { get; } =
        SaidOnly().Replace(Text, m => m.Value[0] is '$' ? m.Value : new string('\n', m.Value.Count(c => c == '\n')));

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>The places where the code matches, as <c>path:line: the line</c>.</summary>
    public IEnumerable<string> Find(Regex pattern) =>
        Code.Split('\n')
            .Select((line, index) => (Line: line, Number: index + 1))
            .Where(line => pattern.IsMatch(line.Line))
            .Select(line => $"{Path}:{line.Number}: {line.Line.Trim()}");

    // Raw strings, verbatim strings, strings and characters, with their interpolated forms; then comments.
    [GeneratedRegex(
        """"(?<raw>\$*"""[\s\S]*?""")|\$?@\$?"(?:[^"]|"")*"|\$?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|//[^\n]*|/\*[\s\S]*?\*/"""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000
    )]
    private static partial Regex SaidOnly();
}
