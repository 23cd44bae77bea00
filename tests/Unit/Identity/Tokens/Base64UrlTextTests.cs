using System.Buffers.Text;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class Base64UrlTextTests
{
    [Fact]
    public void Text_is_canonical_exactly_when_it_is_an_encoding_of_some_bytes()
    {
        // All texts of up to two characters over a set that has digits, near misses, padding and white space.
        const string alphabet = "AQgwBZaz09-_+/= \n.%\u007f";
        var texts = new List<string> { "" };
        texts.AddRange(alphabet.Select(c => c.ToString()));
        texts.AddRange(alphabet.SelectMany(first => alphabet.Select(second => $"{first}{second}")));

        // And every encoding of one byte and of a sample of two.
        var encodings = Enumerable
            .Range(0, 256)
            .SelectMany(b => new[] { [(byte)b], new[] { (byte)b, (byte)(b * 7) } })
            .Append([])
            .Select(bytes => Base64Url.EncodeToString(bytes))
            .ToHashSet(StringComparer.Ordinal);
        texts.AddRange(encodings);

        foreach (var text in texts)
            Assert.Equal(encodings.Contains(text), Base64UrlText.IsCanonical(Encoding.UTF8.GetBytes(text)));
    }

    [Theory]
    [InlineData("Zg", true)]
    [InlineData("Zh", false)]
    [InlineData("Zm8", true)]
    [InlineData("Zm9", false)]
    [InlineData("Zm9v", true)]
    [InlineData("Zg==", false)]
    [InlineData("Zm8=", false)]
    [InlineData("Zm9v\n", false)]
    [InlineData("Zm 9v", false)]
    [InlineData("Zm9vZ", false)]
    [InlineData("Zm+/", false)]
    public void Padding_white_space_and_stray_bits_are_refused(string text, bool isCanonical)
    {
        Assert.Equal(isCanonical, Base64UrlText.IsCanonical(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(isCanonical, Base64UrlText.TryDecode(Encoding.UTF8.GetBytes(text), out _));
    }

    [Fact]
    public void Any_bytes_come_back_from_their_encoding() =>
        Check.One(
            Config.QuickThrowOnFailure.WithQuietOnSuccess(true),
            Prop.ForAll(
                ArbMap.Default.ArbFor<byte[]>(),
                bytes =>
                    Base64UrlText.TryDecode(Base64Url.EncodeToUtf8(bytes), out var decoded)
                    && decoded.AsSpan().SequenceEqual(bytes)
            )
        );
}
