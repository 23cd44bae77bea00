using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Providers.Simulator;
using Verbatim.Tests.Unit.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Providers;

public sealed class WordsTests
{
    [Fact]
    public void Words_are_what_stands_between_white_space()
    {
        var texts = Gen.Elements("a", "bc", "é", " ", "\n", "\t", "\r", "  ").ListOf().Select(string.Concat);

        Check.One(
            Generators.Tests(2000),
            Prop.ForAll(
                texts.ToArbitrary(),
                ArbMap.Default.ArbFor<PositiveInt>(),
                (text, most) =>
                {
                    var words = text.Split([' ', '\n', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
                    var utf8 = Encoding.UTF8.GetBytes(text);
                    Assert.Equal(words.Length, Words.Count(utf8));

                    // The pieces have a word each, and are the text.
                    var pieces = new List<string>();
                    for (var at = 0; Words.Next(utf8.AsSpan(at)) is var length && length > 0; at += length)
                        pieces.Add(Encoding.UTF8.GetString(utf8, at, length));
                    Assert.Equal(text, string.Concat(pieces));
                    if (words.Length > 0)
                        Assert.Equal(words, pieces.Select(p => p.Trim()), StringComparer.Ordinal);

                    var first = Encoding.UTF8.GetString(utf8, 0, Words.LengthOf(utf8, most.Get));
                    Assert.StartsWith(first, text, StringComparison.Ordinal);
                    Assert.Equal(first.TrimEnd(), first);
                    Assert.Equal(Math.Min(most.Get, words.Length), Words.Count(Encoding.UTF8.GetBytes(first)));
                }
            )
        );
    }
}
