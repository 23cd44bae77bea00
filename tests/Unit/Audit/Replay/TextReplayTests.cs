using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Replay;
using Verbatim.Modules.Audit.Streams;

namespace Verbatim.Tests.Unit.Audit.Replay;

public sealed class TextReplayTests
{
    [Fact]
    public async Task A_stream_reads_step_by_step()
    {
        Assert.Equal(
            """
            inference 0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77
            2 events, organization 0199a4b0-0000-7000-8000-000000000001

            1  gateway.inference-started
               2026-01-31T12:00:00.123456Z  +0
               by api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b, request 7c1d4f, position 4811
               model: "simulator"
               request:
                 model: "simulator"
                 messages:
                   system │ You are terse.
                   user   │ Why is the sky blue? Take the time that you need, and tell me how sure
                          │ you are of your answer.
                 temperature: 0.2
               state
               + status: "started"
               + model: "simulator"
               + attempts: []
               + request: {"model":"simulator","messages":[{"role":"user","content":"Why is the sky…

            2  gateway.inference-completed
               2026-01-31T12:00:01.456789Z  +1.333 s
               by api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b, request 7c1d4f, position 4812
               usage: { inputTokens: 12, outputTokens: 3 }
               latency: { firstByteMs: 210.5, totalMs: 1333.3 }
               response:
                 choices:
                   - index: 0
                     message:
                       assistant │ Rayleigh scattering.
                     finish_reason: "stop"
               state
               ~ status: "started" → "completed"
               + attempts[0]: {"number":1,"status":200}
               + usage: {"inputTokens":12,"outputTokens":3}

            """,
            await ReplayAsync([Recording.Start, Recording.Complete])
        );
    }

    [Fact]
    public async Task Colours_are_those_of_the_terminal()
    {
        var step = Recording.Start with
        {
            Event = Recording.Event(1, "gateway.inference-started", TimeSpan.Zero, """{"model":"simulator"}"""),
            Before = Recording.Json("""{"a":1,"b":2}"""),
            After = Recording.Json("""{"a":2,"c":3}"""),
            State = null,
        };

        var text = await ReplayAsync([step], hasColor: true);

        Assert.Equal(
            """
            ^1minference 0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77^0m
            ^2m1 event^0m^2m, organization 0199a4b0-0000-7000-8000-000000000001^0m

            ^1m1^0m  ^1mgateway.inference-started^0m
               2026-01-31T12:00:00.123456Z  +0
               ^2mby api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b^0m^2m, request 7c1d4f^0m^2m, position 4811^0m
               ^36mmodel^0m: "simulator"
               ^2mstate^0m
               ^33m~ a^0m: 1 → 2
               ^32m+ c^0m: 3
               ^31m- b^0m: 2

            """,
            text.Replace("\u001b[", "^", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task What_the_event_brought_in_full_is_not_repeated_in_the_state()
    {
        var body = $$"""{"text":"{{new string('x', 200)}}"}""";
        var step = Recording.Start with
        {
            Event = Recording.Event(1, "a.b", TimeSpan.Zero, $$"""{"body":{{body}},"n":1}"""),
            After = Recording.Json($$"""{"kept":{{body}},"n":1}"""),
            State = null,
        };

        var text = await ReplayAsync([step]);

        Assert.EndsWith("   state\n   + kept: as above\n   + n: 1\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        Recording.CallStatus.Started,
        """

            status: started
               Under way: no outcome is recorded yet.

            """
    )]
    [InlineData(
        Recording.CallStatus.Unknown,
        """

            status: unknown
               The server ended before it could record what came of the call: the provider may have
               answered or not.

            """
    )]
    public async Task The_document_says_in_words_what_came_of_it(Enum status, string expected)
    {
        var text = await ReplayAsync([
            Recording.Start with
            {
                State = new Recording.Call((Recording.CallStatus)status),
                After = Recording.Json("{}"),
            },
        ]);

        Assert.EndsWith("   state unchanged\n" + expected, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_whose_bytes_were_changed_is_called_out()
    {
        var text = await ReplayAsync([Recording.Start with { IsIntact = false }]);

        Assert.Contains("NOT INTACT", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_state_is_lost_the_events_go_on()
    {
        const string Fault = "The event at position 4811 is 'x.happened' version 7, which this build does not know.";

        var text = await ReplayAsync([
            Recording.Start with
            {
                After = null,
                State = null,
                Fault = new StateFault(Recording.Start.Event, IsUnknown: true, Fault),
            },
            Recording.Complete with
            {
                Before = null,
                After = null,
                State = null,
                Fault = new StateFault(Recording.Start.Event, IsUnknown: true, Fault),
            },
        ]);

        Assert.Equal(1, text.Split("From here on there is no state.").Length - 1);
        Assert.Contains("2  gateway.inference-completed", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_names_of_an_event_cannot_command_the_terminal()
    {
        var recorded = Recording.Event(1, "a.\u001b[2J", TimeSpan.Zero, "{}");

        var text = await ReplayAsync([Recording.Start with { Event = recorded }]);

        Assert.DoesNotContain('\u001b', text);
    }

    [Fact]
    public async Task What_was_cut_is_told_and_full_shows_it()
    {
        var data = $$"""{"text":"{{string.Join("\\n", Enumerable.Range(1, 40))}}"}""";
        var step = Recording.Start with { Event = Recording.Event(1, "a.b", TimeSpan.Zero, data) };

        var cut = await ReplayAsync([step]);
        var full = await ReplayAsync([step], isFull: true);

        Assert.Contains("--full shows all", cut, StringComparison.Ordinal);
        Assert.DoesNotContain("│ 40", cut, StringComparison.Ordinal);
        Assert.Contains("│ 40", full, StringComparison.Ordinal);
        Assert.DoesNotContain("--full", full, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "+0")]
    [InlineData(7, "+1 µs")]
    [InlineData(123_400, "+12.3 ms")]
    [InlineData(13_333_330, "+1.333 s")]
    [InlineData(754_000_0000, "+12 min 34 s")]
    [InlineData(37_234_000_0000, "+10 h 20 min 34 s")]
    [InlineData(2_000_000_000_0000, "+23 d 3 h 33 min")]
    public void Time_passed_is_told_as_people_do(long ticks, string expected)
    {
        Assert.Equal(expected, Times.Offset(TimeSpan.FromTicks(ticks)));
    }

    [Fact]
    public void A_writer_that_is_not_the_console_has_no_colours()
    {
        using var output = new StringWriter();

        Assert.Equal(new Terminal(100, HasColor: false), Terminal.Of(output));
    }

    private static async Task<string> ReplayAsync(
        IReadOnlyList<StateStep> steps,
        bool hasColor = false,
        bool isFull = false
    )
    {
        await using var output = new StringWriter();
        var replay = new TextReplay(output, new Terminal(88, hasColor), isFull);
        await replay.BeginAsync(Recording.Stream, steps.Count, steps.Count, hasDocument: true);
        foreach (var step in steps)
            await replay.WriteAsync(Recording.Stream, step);
        await replay.EndAsync();
        return output.ToString();
    }
}
