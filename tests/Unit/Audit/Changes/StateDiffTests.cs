using System.Text.Json;
using Verbatim.Modules.Audit.Changes;

namespace Verbatim.Tests.Unit.Audit.Changes;

public sealed class StateDiffTests
{
    [Fact]
    public void Every_property_of_the_first_state_is_added()
    {
        Assert.Equal(["+ a: 1", "+ b: {\"c\":2}"], Diff(null, """{"a":1,"b":{"c":2}}"""));
    }

    [Fact]
    public void Nothing_changed_is_no_difference()
    {
        Assert.Empty(Diff("""{"a":1,"b":[1,{"c":2}]}""", """{"a":1,"b":[1,{"c":2}]}"""));
    }

    [Fact]
    public void A_difference_is_named_by_its_path()
    {
        Assert.Equal(
            ["~ a: 1 → 2", "+ b.y: true", "- b.x: null"],
            Diff("""{"a":1,"b":{"x":null}}""", """{"a":2,"b":{"y":true}}""")
        );
    }

    [Fact]
    public void What_a_list_has_won_is_added()
    {
        Assert.Equal(
            ["~ a[0].s: \"open\" → \"done\"", "+ a[1]: {\"s\":\"open\"}"],
            Diff("""{"a":[{"s":"open"}]}""", """{"a":[{"s":"done"},{"s":"open"}]}""")
        );
    }

    [Fact]
    public void A_list_that_was_shortened_has_changed_as_a_whole()
    {
        Assert.Equal(["~ a: [1,2] → [2]"], Diff("""{"a":[1,2]}""", """{"a":[2]}"""));
    }

    [Fact]
    public void A_number_of_many_digits_is_told_from_its_neighbour()
    {
        Assert.Equal(
            ["~ a: 9007199254740993 → 9007199254740992"],
            Diff("""{"a":9007199254740993}""", """{"a":9007199254740992}""")
        );
    }

    [Fact]
    public void A_name_cannot_command_the_terminal()
    {
        Assert.Equal(["+ \\u001b[2J: 1"], Diff(null, """{"\u001b[2J":1}"""));
    }

    private static IEnumerable<string> Diff(string? before, string after)
    {
        using var was = before is null ? null : JsonDocument.Parse(before);
        using var now = JsonDocument.Parse(after);
        return
        [
            .. StateDiff
                .Between(was?.RootElement, now.RootElement)
                .Select(change =>
                    change.Kind switch
                    {
                        ChangeKind.Added => $"+ {change.Place}: {change.After.GetRawText()}",
                        ChangeKind.Removed => $"- {change.Place}: {change.Before.GetRawText()}",
                        _ => $"~ {change.Place}: {change.Before.GetRawText()} → {change.After.GetRawText()}",
                    }
                ),
        ];
    }
}
