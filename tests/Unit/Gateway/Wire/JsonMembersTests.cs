using System.Text;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire;

public sealed class JsonMembersTests
{
    [Theory]
    [InlineData("""{}""", """{"a":1}""")]
    [InlineData("""{ "b" : [1, 2] }""", """{"b" : [1, 2],"a":1}""")]
    [InlineData("""{"a":{"a":2},"b":3}""", """{"a":1,"b":3}""")]
    [InlineData("""{"b":{"a":2}, "a" : "x"}""", """{"b":{"a":2},"a":1}""")]
    [InlineData("""{"a":2,"b":3,"a":4}""", """{"a":1,"b":3}""")]
    [InlineData("""{"\u0061":2}""", """{"a":1}""")]
    [InlineData("""{"c":5,"b":"\ud800","d":6}""", """{"b":"\ud800","d":6,"a":1}""")]
    public void Named_members_are_replaced_added_or_left_out_and_the_rest_stays(string json, string expected)
    {
        var changed = JsonMembers.With(
            Encoding.UTF8.GetBytes(json),
            new JsonMember("a", "1"u8.ToArray()),
            JsonMember.Without("c")
        );

        Assert.Equal(expected, Encoding.UTF8.GetString(changed));
    }
}
