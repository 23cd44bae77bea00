using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Wire.Translation.Chat;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

public sealed class CollectedDetailsTests
{
    [Fact]
    public void Pieces_of_one_thought_are_joined_and_what_is_sealed_stays_as_it_is()
    {
        var details = new CollectedDetails();

        Assert.Equal(
            "Let me ",
            Add(details, """[{"type":"reasoning.text","text":"Let me ","format":"f","index":0}]""")
        );
        Assert.False(details.HasSeal);
        Assert.Equal("see \"é\".", Add(details, """[{"type":"reasoning.text","text":"see \"\u00e9\".","index":0}]"""));
        Assert.Equal("", Add(details, """[{"type":"reasoning.text","signature":"s+/=","index":0}]"""));
        Assert.True(details.HasSeal);
        Assert.Equal(
            "Then",
            Add(
                details,
                """[{"type":"reasoning.text","text":"Then","index":1},{"type":"reasoning.encrypted","data":"e","id":"r","index":2,"more":[1.0]}]"""
            )
        );
        Assert.Equal("Sum", Add(details, """[{"type":"reasoning.summary","summary":"Sum"}]"""));

        AssertJson(
            """
            [{"type":"reasoning.text","text":"Let me see \"é\".","format":"f","index":0,"signature":"s+/="},
             {"type":"reasoning.text","text":"Then","index":1},
             {"type":"reasoning.encrypted","data":"e","id":"r","index":2,"more":[1.0]},
             {"type":"reasoning.summary","summary":"Sum"}]
            """,
            details
        );
    }

    [Fact]
    public void Thoughts_that_are_signed_apart_stay_apart_even_without_an_index()
    {
        const string Whole = """
            [{"type":"reasoning.text","text":"A","signature":"s1"},{"type":"reasoning.text","text":"B","signature":"s2"},
             {"type":"reasoning.summary","summary":"C","id":"1"},{"type":"reasoning.summary","summary":"D","id":"2"}]
            """;
        var details = new CollectedDetails();

        Assert.Equal("ABCD", Add(details, Whole));

        AssertJson(Whole, details);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[1,null,\"a\"]")]
    [InlineData("""[{"text":7,"signature":null}]""")]
    public void What_says_nothing_is_nothing_to_give_back(string json)
    {
        var details = new CollectedDetails();

        Assert.Equal("", Add(details, json));
        Assert.False(details.HasSeal);
    }

    [Theory]
    [InlineData("""[{"type":"reasoning.text","text":"\ud83d","signature":"s"}]""")]
    [InlineData("""[{"type":"reasoning.text","type":"a","signature":"s"}]""")]
    [InlineData("""[{"type":"reasoning.text","signature":"s"}""")]
    [InlineData("""[{"type":"reasoning.encrypted","data":"X","id":"\ud800"}]""")]
    [InlineData("""[{"type":"reasoning.encrypted","data":"X","more":{"\ud800":[1]}}]""")]
    public void What_cannot_be_given_back_as_it_was_is_not_given_back(string json)
    {
        var details = new CollectedDetails();
        Add(details, """[{"type":"reasoning.text","text":"a","signature":"s"}]""");

        Add(details, json);

        Assert.False(details.HasSeal);
    }

    private static string Add(CollectedDetails details, string json) => details.Add(Encoding.UTF8.GetBytes(json));

    private static void AssertJson(string expected, CollectedDetails details)
    {
        var inside = JsonSerializer.Deserialize<string>($"\"{Encoding.UTF8.GetString(details.ToEscaped())}\"")!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(inside)), inside);
    }
}
