using System.Text;
using System.Text.Json;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Replay;

namespace Verbatim.Tests.Unit.Audit.Replay;

public sealed class JsonReplayTests
{
    [Fact]
    public async Task An_event_is_one_line_with_its_exact_data_and_the_state_after_it()
    {
        const string Data = """{"model" : "é\u00e9","n":1.50}""";
        var step = Recording.Start with
        {
            Event = Recording.Event(1, "gateway.inference-started", TimeSpan.Zero, Data),
            After = Recording.Json("""{"status":"started"}"""),
        };

        Assert.Equal(
            """
            {"organizationId":"0199a4b0-0000-7000-8000-000000000001","streamId":"0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77","streamType":"inference","position":4811,"version":1,"type":"gateway.inference-started","typeVersion":1,"time":"2026-01-31T12:00:00.123456Z","actor":"api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b","correlation":"7c1d4f","data":{"model" : "é\u00e9","n":1.50},"leafHash":"abababababababababababababababababababababababababababababababab","isIntact":true,"state":{"status":"started"}}

            """,
            await ReplayAsync(step)
        );
    }

    [Fact]
    public async Task Data_with_line_breaks_stays_on_one_line_and_exact_beside_it()
    {
        const string Data = "{\r\n  \"model\": \"a\\nb\"\n}";
        var line = await ReplayAsync(Recording.Start with { Event = Recording.Event(1, "a.b", TimeSpan.Zero, Data) });

        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        using var json = JsonDocument.Parse(line);
        Assert.Equal("a\nb", json.RootElement.GetProperty("data").GetProperty("model").GetString());
        Assert.Equal(Data, json.RootElement.GetProperty("dataText").GetString());
    }

    [Fact]
    public async Task Data_on_one_line_is_not_repeated()
    {
        var line = await ReplayAsync(Recording.Complete);

        Assert.Contains(Encoding.UTF8.GetString(Recording.Complete.Event.Data.Span), line, StringComparison.Ordinal);
        Assert.DoesNotContain("dataText", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_state_is_null_and_says_why()
    {
        var line = await ReplayAsync(
            Recording.Start with
            {
                After = null,
                State = null,
                Fault = new StateFault(Recording.Start.Event, IsUnknown: true, "No \"such\" event."),
            }
        );

        Assert.EndsWith(
            """ "state":null,"stateFault":"No \"such\" event."} """.Trim() + "\n",
            line,
            StringComparison.Ordinal
        );
    }

    private static async Task<string> ReplayAsync(StateStep step)
    {
        await using var output = new StringWriter();
        var replay = new JsonReplay(output);
        await replay.BeginAsync(Recording.Stream, 1, 1, hasDocument: true);
        await replay.WriteAsync(Recording.Stream, step);
        await replay.EndAsync();
        return output.ToString();
    }
}
