using System.Text;
using System.Text.Json;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("""{}""")]
    [InlineData(""" { "a" : 1 , "b" : [ { "a" : 1 } , { "a" : 2 } ] , "c" : { "a" : null } } """)]
    [InlineData("""{"a":{"a":{"a":1}},"A":2}""")]
    [InlineData("""{"\u0061":1,"\u0062":2}""")]
    [InlineData("""{"a":"\ud83d\ude00","😀":"é"}""")]
    [InlineData("""{"":1," ":2}""")]
    public void An_unambiguous_object_passes(string json) => Assert.True(IsUnambiguousObject(json));

    [Theory]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":1,"b":2,"a":3}""")]
    [InlineData("""{"a":1,"\u0061":2}""")]
    [InlineData("""{"\u0061":1,"a":2}""")]
    [InlineData("""{"":1,"":2}""")]
    [InlineData("""{"b":{"a":1,"a":2}}""")]
    [InlineData("""{"b":[{"x":0},{"a":1,"c":{},"a":2}]}""")]
    [InlineData("""{"a":{"b":1,"c":[{"d":1}]},"a":2}""")]
    [InlineData("""{"\ud83d\ude00":1,"😀":2}""")]
    public void A_duplicate_member_is_refused(string json) => Assert.False(IsUnambiguousObject(json));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("\"a\"")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{} x")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{'a':1}")]
    [InlineData("{\"a\":1} // note")]
    [InlineData("/**/{}")]
    [InlineData("{\"a\":\"\n\"}")]
    [InlineData("\ufeff{}")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":["\udc00\ud800"]}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"a":"\x"}""")]
    public void What_is_not_one_well_formed_object_is_refused(string json) => Assert.False(IsUnambiguousObject(json));

    [Fact]
    public void Invalid_utf8_is_refused_in_names_and_values()
    {
        Assert.False(StrictJson.IsUnambiguousObject([.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8]));
        Assert.False(StrictJson.IsUnambiguousObject([.. "{\""u8, 0xFF, .. "\":1}"u8]));
        // An overlong slash.
        Assert.False(StrictJson.IsUnambiguousObject([.. "{\"a\":\""u8, 0xC0, 0xAF, .. "\"}"u8]));
    }

    [Fact]
    public void Depth_and_open_names_are_bounded()
    {
        Assert.True(IsUnambiguousObject(Nested(16)));
        Assert.False(IsUnambiguousObject(Nested(17)));
        Assert.True(IsUnambiguousObject(Wide(64)));
        Assert.False(IsUnambiguousObject(Wide(65)));
        // Objects that are closed do not count.
        Assert.True(IsUnambiguousObject($$"""{"a":[{{string.Join(',', Enumerable.Repeat(Wide(60), 50))}}]}"""));
    }

    [Fact]
    public void What_passes_is_read_without_an_exception()
    {
        var json = Encoding.UTF8.GetBytes($$"""{"\u0061":"\u00e9\ud83d\ude00\n","n":{{Nested(15)}},"x":1e400}""");
        Assert.True(StrictJson.IsUnambiguousObject(json));
        var reader = new Utf8JsonReader(json, StrictJson.Options);
        var texts = 0;
        while (reader.Read())
        {
            if (
                reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName
                && reader.GetString() is not null
            )
                texts++;
        }

        Assert.Equal(18, texts);
    }

    private static string Nested(int depth) =>
        string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);

    private static string Wide(int names) =>
        $$"""{{{string.Join(',', Enumerable.Range(0, names).Select(i => $"\"n{i}\":0"))}}}""";

    private static bool IsUnambiguousObject(string json) =>
        StrictJson.IsUnambiguousObject(Encoding.UTF8.GetBytes(json));
}
