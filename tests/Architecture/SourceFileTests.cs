using System.Text.RegularExpressions;

namespace Verbatim.Tests.Architecture;

/// <summary>The rules over sources are only as good as what they look at.</summary>
public sealed class SourceFileTests
{
    private static readonly Regex Forbidden = new(
        "Forbidden",
        RegexOptions.ExplicitCapture,
        matchTimeout: TimeSpan.FromSeconds(1)
    );

    [Theory]
    [InlineData("var x = Forbidden();")]
    [InlineData("var x = \"https://example.org\" + Forbidden(); // a comment")]
    [InlineData("var x = $\"{Forbidden()}\";")]
    [InlineData("var x = '\\'' + Forbidden();")]
    [InlineData("/* a comment */ Forbidden();")]
    public void What_is_done_is_found(string line)
    {
        var file = new SourceFile("src/File.cs", "first\n" + line);

        Assert.StartsWith("src/File.cs:2: ", Assert.Single(file.Find(Forbidden)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("// Forbidden")]
    [InlineData("/* Forbidden\n Forbidden */")]
    [InlineData("var x = \"Forbidden\";")]
    [InlineData("var x = @\"Forbidden \"\" Forbidden\";")]
    [InlineData("var x = \"\"\"\n Forbidden \" Forbidden\n\"\"\";")]
    public void What_is_only_said_is_not(string text) =>
        Assert.Empty(new SourceFile("src/File.cs", text).Find(Forbidden));
}
