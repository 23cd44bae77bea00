using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.InferenceIndex;

namespace Verbatim.Tests.Unit.Gateway.InferenceIndex;

public sealed class WordsTests
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly SipHash Hash = new(Enumerable.Range(0, 16).Select(i => (byte)i).ToArray());

    // The first, the second, the ninth and the sixteenth of the vectors for SipHash-2-4 that its authors publish.
    [Theory]
    [InlineData(0, 0x726fdb47dd0e0e31)]
    [InlineData(1, 0x74f839c593dc67fd)]
    [InlineData(8, 0x93f5f5799a932462)]
    [InlineData(15, 0xa129ca6149be45e5)]
    public void The_hash_is_SipHash_2_4(int length, ulong expected) =>
        Assert.Equal(expected, Hash.Of(Enumerable.Range(0, length).Select(i => (byte)i).ToArray()));

    [Theory]
    [InlineData("The invoice, No. 42!", "the|invoice|no|42")]
    [InlineData("DON'T", "don|t")]
    [InlineData("Straße café CAFÉ", "straße|café|café")]
    [InlineData("東京 tower", "東|京|tower")]
    [InlineData("  …—  ", "")]
    [InlineData("a😀b", "a|b")]
    [InlineData("हिन्दी", "हिन्दी")]
    public void A_text_is_cut_into_words(string text, string expected) =>
        Assert.Equal(Plain(expected.Split('|', StringSplitOptions.RemoveEmptyEntries)), Of(text));

    [Fact]
    public void A_text_in_JSON_has_the_words_that_it_has_outside_however_it_is_escaped() =>
        Prop.ForAll<NonNull<string>>(text =>
            {
                var escaped = JsonSerializer.SerializeToUtf8Bytes(text.Get);
                var relaxed = JsonSerializer.SerializeToUtf8Bytes(text.Get, Relaxed);
                // What is no Unicode was replaced on the way into JSON.
                var expected = Of(JsonSerializer.Deserialize<string>(escaped)!);
                return expected.SequenceEqual(Escaped(escaped.AsSpan()[1..^1]))
                    && expected.SequenceEqual(Escaped(relaxed.AsSpan()[1..^1]));
            })
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_is_cut_off_nothing_is_thrown() =>
        Prop.ForAll<byte[], int>(
                (bytes, at) =>
                {
                    _ = Escaped(bytes.AsSpan(Math.Min(bytes.Length, Math.Abs(at % 7))));
                    return true;
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_long_word_is_known_by_its_beginning() =>
        Assert.Equal(Of(new string('a', Words.MaxLength)), Of(new string('a', 500)));

    [Fact]
    public void A_signature_has_every_word_and_few_others()
    {
        var signature = new WordSignature();
        foreach (var i in Enumerable.Range(0, 100))
            signature.Add(Of($"word{i}").Single());

        Assert.All(Enumerable.Range(0, 100), i => Assert.True(Has(signature, $"word{i}")));
        Assert.InRange(Enumerable.Range(0, 10_000).Count(i => Has(signature, $"other{i}")), 0, 200);
        Assert.True(new WordSignature().IsEmpty);
        Assert.False(signature.IsEmpty);
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"alpha"}]}""", "alpha")]
    [InlineData(
        """{"messages":[{"role":"user","content":[{"type":"text","text":"alpha"},{"type":"image_url","image_url":{"url":"data:beta"}}]}]}""",
        "alpha"
    )]
    [InlineData("""{"input":["alpha","beta"],"encoding_format":"float"}""", "beta alpha")]
    [InlineData(
        """{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"alpha"}]}]}""",
        "alpha"
    )]
    [InlineData(
        """{"system":"alpha","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"beta","input":{"city":"gamma","n":{"m":["delta"]}}}]}],"max_tokens":1}""",
        "delta gamma beta alpha"
    )]
    [InlineData("""{"tools":[{"function":{"name":"alpha"}}],"prompt":"beta"}""", "beta")]
    [InlineData("""{"id":"alpha","user":"beta","metadata":{"text":"gamma"}}""", "")]
    [InlineData("""{"\ud800":1,"messages":[{"\udc00":["gamma"],"content":"alpha"}]}""", "alpha")]
    [InlineData("""{"\u0069nput":{"any":"alpha"},"\u0074ools":[{"name":"beta"}]}""", "alpha")]
    [InlineData("\"[erased]\"", "")]
    public void Of_a_request_what_was_said_is_read_the_last_first(string body, string expected)
    {
        var found = new List<ulong>();
        BodyText.ReadRequest(Encoding.UTF8.GetBytes(body), new Words(Hash, found.Add));
        Assert.Equal(Plain(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)), found);
    }

    [Fact]
    public void Of_a_long_body_a_bounded_part_is_read()
    {
        var text = string.Join(' ', Enumerable.Range(0, 100_000).Select(i => $"w{i}"));
        var body = JsonSerializer.SerializeToUtf8Bytes(new { prompt = "first", content = text });
        var asked = new HashSet<ulong>();
        BodyText.ReadRequest(body, new Words(Hash, w => asked.Add(w)));
        var answered = new HashSet<ulong>();
        BodyText.ReadAnswer(body, new Words(Hash, w => answered.Add(w)));

        Assert.Contains(Of("w99999").Single(), asked);
        Assert.DoesNotContain(Of("first").Single(), asked);
        Assert.Contains(Of("first").Single(), answered);
        Assert.DoesNotContain(Of("w99999").Single(), answered);
        Assert.InRange(asked.Count, 1000, BodyText.MaxBytes);
    }

    [Fact]
    public void What_is_nested_too_deep_or_no_JSON_is_passed_over()
    {
        var found = new List<ulong>();
        var deep = "{\"text\":\"alpha\",\"x\":" + new string('[', 5000) + new string(']', 5000) + "}";
        BodyText.ReadAnswer(Encoding.UTF8.GetBytes(deep), new Words(Hash, found.Add));
        BodyText.ReadRequest("{\"text\":"u8, new Words(Hash, found.Add));
        Assert.Equal(Plain(["alpha"]), found);
    }

    private static bool Has(WordSignature signature, string word)
    {
        var own = new WordSignature();
        own.Add(Of(word).Single());
        return own.Bytes.Zip(signature.Bytes).All(both => (both.First & both.Second) == both.First);
    }

    private static List<ulong> Of(string text)
    {
        var found = new List<ulong>();
        new Words(Hash, found.Add).Add(text);
        return found;
    }

    private static List<ulong> Escaped(ReadOnlySpan<byte> utf8)
    {
        var found = new List<ulong>();
        new Words(Hash, found.Add).AddEscaped(utf8);
        return found;
    }

    private static List<ulong> Plain(IEnumerable<string> words) =>
        [.. words.Select(w => Hash.Of(System.Runtime.InteropServices.MemoryMarshal.AsBytes(w.AsSpan())))];
}
