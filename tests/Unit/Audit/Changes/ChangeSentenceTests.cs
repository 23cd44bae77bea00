using System.ComponentModel;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Audit.Changes;

public sealed class ChangeSentenceTests
{
    [Fact]
    public void A_change_reads_as_what_it_was_and_what_it_is() =>
        Assert.Equal(
            ["role: user → admin", "limits.daily: 5 → 10", "note: \"to be, or not\" (new)", "seat: B-7 (removed)"],
            Of(
                """{"role":"user","limits":{"daily":5},"seat":"B-7"}""",
                """{"role":"admin","limits":{"daily":10},"note":"to be, or not"}"""
            )
        );

    [Fact]
    public void A_text_cannot_pass_for_another_kind_of_value_or_for_the_sentence_around_it() =>
        Assert.Equal(
            [
                "a: \"5\" (new)",
                "b: 5 (new)",
                "c: \"null\" (new)",
                "d: null (new)",
                "e: \"user → admin\" (new)",
                "f: \"\\u001b[2J\" (new)",
            ],
            Of(null, """{"a":"5","b":5,"c":"null","d":null,"e":"user → admin","f":"\u001b[2J"}""")
        );

    [Fact]
    public void Long_values_are_cut_and_very_many_changes_are_counted()
    {
        var many = string.Join(',', Enumerable.Range(0, 130).Select(i => $"\"p{i}\":{i}"));
        var sentences = Of(null, $"{{\"long\":\"{new string('x', 5000)}\",{many}}}");

        Assert.InRange(sentences[0].Length, 100, 140);
        Assert.Equal(101, sentences.Count);
        Assert.Equal("… and 31 more changes", sentences[^1]);
    }

    [Fact]
    public void A_state_that_has_words_of_its_own_is_told_in_them() =>
        Assert.Equal(
            ["status: open → done. Nothing is left to do."],
            Of("""{"status":"open"}""", """{"status":"done"}""", new Ticket(TicketStatus.Done))
        );

    [Theory]
    [InlineData("""{"a":{"b/c":{"d~e":[1,2]}}}""", """{"a":{"b/c":{"d~e":[1,3]}}}""", "/a/b~1c/d~0e/1")]
    [InlineData("1", "2", "")]
    [InlineData("""{"":1}""", """{"":2}""", "/")]
    public void A_place_is_a_json_pointer(string before, string after, string expected)
    {
        using var one = JsonDocument.Parse(before);
        using var two = JsonDocument.Parse(after);

        var change = Assert.Single(StateDiff.Between(one.RootElement, two.RootElement));

        Assert.Equal(expected, change.Place.Pointer);
    }

    private static IReadOnlyList<string> Of(string? before, string after, object? state = null) =>
        ChangeSentence.Of(
            new StateStep(
                new RecordedEvent
                {
                    Position = 1,
                    TenantId = default,
                    StreamId = default,
                    StreamType = "ticket",
                    Version = 1,
                    Type = "test.ticket-changed",
                    TypeVersion = 1,
                    Time = default,
                    Actor = "system:test",
                    Correlation = "",
                    Data = default,
                    LeafHash = default,
                },
                IsIntact: true,
                before is null ? null : new RawJson(Encoding.UTF8.GetBytes(before)),
                new RawJson(Encoding.UTF8.GetBytes(after)),
                state,
                Fault: null
            )
        );

    private sealed record Ticket(TicketStatus Status);

    private enum TicketStatus
    {
        Open,

        [Description("Nothing is left to do.")]
        Done,
    }
}
