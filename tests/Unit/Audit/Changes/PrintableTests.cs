using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Audit.Changes;

namespace Verbatim.Tests.Unit.Audit.Changes;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("red \u001b[31m", "red \\u001b[31m")]
    [InlineData("one\ntwo\r", "one\\u000atwo\\u000d")]
    [InlineData("csi \u009b2J", "csi \\u009b2J")]
    [InlineData("txt\u202egpj", "txt\\u202egpj")]
    [InlineData("iso\u2067late", "iso\\u2067late")]
    [InlineData("tag \U000e0041", "tag \\u{e0041}")]
    [InlineData("👩\u200d👧", "👩\u200d👧")]
    public void A_line_shows_what_would_be_hidden(string text, string expected)
    {
        Assert.Equal(expected, Printable.Line(text));
    }

    [Fact]
    public void Half_a_letter_is_marked()
    {
        Assert.Equal("half \ufffd.", Printable.Line("half \ud800."));
    }

    [Fact]
    public void A_quoted_text_cannot_end_its_quotes()
    {
        Assert.Equal("""  "a\", b: \"\\"  """.Trim(), Printable.Quoted("a\", b: \"\\"));
    }

    [Fact]
    public void Words_are_wrapped_whole()
    {
        Assert.Equal(["the sky", "is blue", "today"], Printable.Wrap("the sky is blue today", 8));
    }

    [Fact]
    public void A_word_without_end_is_broken()
    {
        Assert.Equal(["ab", "abcde", "fghij", "kl m"], Printable.Wrap("ab abcdefghijkl m", 5));
    }

    [Fact]
    public void Lines_and_their_indentation_stay()
    {
        Assert.Equal(["if x:", "    go", "", "end", ""], Printable.Wrap("if x:\r\n\tgo\n\nend\n", 20));
    }

    [Fact]
    public void Wide_letters_take_two_columns()
    {
        Assert.Equal(["東京", "東京", "x"], Printable.Wrap("東京東京x", 4));
        Assert.Equal("東…", Printable.Cut("東京東京", 4));
        Assert.Equal(1, Printable.WidthOf("e\u0301"));
    }

    [Theory]
    [InlineData("short", 5, "short")]
    [InlineData("longer", 5, "long…")]
    [InlineData("longer", 1, "…")]
    public void A_cut_is_marked(string line, int width, string expected)
    {
        Assert.Equal(expected, Printable.Cut(line, width));
    }

    [Fact]
    public void No_wrapped_line_is_too_wide_and_no_letter_is_lost()
    {
        var text = Gen.ArrayOf(
            Gen.Elements("a", "bc", " ", "  ", "\n", "\t", "東", "\u001b", "👧", "long-word-without-end")
        );
        Prop.ForAll(
                text.ToArbitrary(),
                Gen.Choose(2, 30).ToArbitrary(),
                (parts, width) =>
                {
                    var lines = Printable.Wrap(string.Concat(parts), width).ToList();
                    return lines.TrueForAll(l => Printable.WidthOf(l.TrimEnd(' ')) <= width)
                        && Letters(string.Concat(lines))
                            == Letters(Printable.Line(string.Concat(parts.Where(p => p is not ("\n" or "\t")))));
                }
            )
            .QuickCheckThrowOnFailure();

        static string Letters(string s) => s.Replace(" ", "", StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_printed_can_command_a_terminal()
    {
        Prop.ForAll(
                ArbMap.Default.ArbFor<string>(),
                text =>
                    text is null
                    || Printable
                        .Wrap(text, 40)
                        .Append(Printable.Quoted(text))
                        .All(line => !line.EnumerateRunes().Any(Rune.IsControl))
            )
            .QuickCheckThrowOnFailure();
    }
}
