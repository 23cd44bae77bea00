using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>The command <c>replay</c> over recorded streams.</summary>
public sealed class ReplayStreamTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private EventStore Store => host.Services.GetRequiredService<EventStore>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_of_a_model_reads_as_a_conversation()
    {
        using var caller = host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));
        using var content = new StringContent(
            """{"model":"simulator","messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"Why is the sky blue?"}]}""",
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await caller.PostAsync("/v1/chat/completions", content, Cancellation);
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["choices"]![0]!["message"]![
            "content"
        ]!;

        var (exit, text) = await ReplayAsync(answer.Headers.GetValues("x-verbatim-inference-id").Single());

        Assert.Equal(0, exit);
        Assert.Contains("1  gateway.inference-started", text, StringComparison.Ordinal);
        Assert.Contains("system │ Be terse.", text, StringComparison.Ordinal);
        Assert.Contains("user   │ Why is the sky blue?", text, StringComparison.Ordinal);
        Assert.Contains("2  gateway.inference-completed", text, StringComparison.Ordinal);
        Assert.Contains($"assistant │ {said.GetValue<string>()[..20]}", text, StringComparison.Ordinal);
        Assert.Contains("~ status: \"started\" → \"completed\"", text, StringComparison.Ordinal);
        Assert.EndsWith("status: completed\n   The provider answered in full.\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NOT INTACT", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_outcome_and_a_lost_one_are_said_in_words()
    {
        var open = await StartAsync(Guid.CreateVersion7(), Guid.CreateVersion7());
        var (tenant, lost) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await StartAsync(tenant, lost);
        await AppendAsync(tenant, lost, 1, new InferenceOutcomeLost(Guid.Empty));

        var (_, ofOpen) = await ReplayAsync(open.ToString());
        var (_, ofLost) = await ReplayAsync(lost.ToString());

        Assert.Contains(
            "status: started\n   Under way: no outcome is on record yet.",
            ofOpen,
            StringComparison.Ordinal
        );
        Assert.Contains("status: unknown\n", ofLost, StringComparison.Ordinal);
        Assert.Contains(
            "may or may not",
            ofLost.Replace("\n   ", " ", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_first_digits_of_the_id_are_enough_while_they_are_unique()
    {
        var prefix = Guid.NewGuid().ToString("N")[..12];
        var ann = await StartAsync(Guid.CreateVersion7(), Guid.ParseExact(prefix + "a".PadRight(20, '0'), "N"));
        var ben = await StartAsync(Guid.CreateVersion7(), Guid.ParseExact(prefix + "b".PadRight(20, '0'), "N"));

        var (exit, text) = await ReplayAsync(prefix + "a");
        var (ambiguous, candidates) = await ReplayAsync(prefix[..8].ToUpperInvariant());
        var (missing, none) = await ReplayAsync(prefix + "c");

        Assert.Equal((0, 1, 1), (exit, ambiguous, missing));
        Assert.StartsWith($"inference {ann}", text, StringComparison.Ordinal);
        Assert.Contains(ann.ToString(), candidates, StringComparison.Ordinal);
        Assert.Contains(ben.ToString(), candidates, StringComparison.Ordinal);
        Assert.Contains("There is no stream", none, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_candidates_than_fit_are_counted_as_more()
    {
        var prefix = Guid.NewGuid().ToString("N")[..16];
        var tenant = Guid.CreateVersion7();
        for (var i = 10; i < 23; i++)
            await StartAsync(tenant, Guid.ParseExact($"{prefix}{i}".PadRight(32, '0'), "N"));

        var (_, candidates) = await ReplayAsync(prefix);

        Assert.Equal(12, candidates.TrimEnd('\n').Split('\n').Length);
        Assert.EndsWith("… and more\n", candidates, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_version_or_a_time_the_rest_has_not_happened_yet()
    {
        var (tenant, stream) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await StartAsync(tenant, stream);
        await AppendAsync(tenant, stream, 1, new InferenceOutcomeLost(Guid.Empty));
        var lost = await Store.ReadStreamAsync(tenant, stream, 2, Cancellation).SingleAsync(Cancellation);
        var justBefore = lost
            .Time.AddMicroseconds(-1)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", System.Globalization.CultureInfo.InvariantCulture);

        var (_, atVersion) = await ReplayAsync(stream.ToString(), "--at", "1");
        var (_, atTime) = await ReplayAsync(stream.ToString(), "--at", justBefore);
        var (beyond, noVersion) = await ReplayAsync(stream.ToString(), "--at", "3");
        var (before, notBegun) = await ReplayAsync(stream.ToString(), "--at", "2001-01-01T00:00:00Z");

        Assert.Equal(atVersion, atTime);
        Assert.Contains("the first 1 of 2 events", atVersion, StringComparison.Ordinal);
        Assert.EndsWith("no outcome is on record yet.\n", atVersion, StringComparison.Ordinal);
        Assert.Equal((1, 1), (beyond, before));
        Assert.Equal("The stream has 2 events; there is no version 3.\n", noVersion);
        Assert.StartsWith("At that time the stream had not begun", notBegun, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_one_line_an_event_with_the_exact_data_and_the_state()
    {
        var (tenant, stream) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await StartAsync(tenant, stream, "{ \"a\":1.0,\n\"b\" : \"\\u00e9\" }");
        await AppendAsync(tenant, stream, 1, new InferenceOutcomeLost(Guid.Empty));
        var stored = await Store.ReadStreamAsync(tenant, stream, 1, Cancellation).ToListAsync(Cancellation);

        var (exit, text) = await ReplayAsync(stream.ToString(), "--json");

        Assert.Equal(0, exit);
        var lines = text.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        var first = JsonNode.Parse(lines[0])!;
        Assert.Contains($"\"data\":{Encoding.UTF8.GetString(stored[0].Data.Span)}", lines[0], StringComparison.Ordinal);
        Assert.Equal("é", first["openedData"]!["request"]!["b"]!.GetValue<string>());
        Assert.Equal("started", first["state"]!["status"]!.GetValue<string>());
        Assert.Contains($"\"data\":{Encoding.UTF8.GetString(stored[1].Data.Span)}", lines[1], StringComparison.Ordinal);
        Assert.Equal("unknown", JsonNode.Parse(lines[1])!["state"]!["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_record_that_was_changed_behind_its_back_is_found_out()
    {
        var (tenant, stream) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await StartAsync(tenant, stream, "{\"a\":\"yes\"}");
        await ExecuteAsync(
            "update platform.events set data = convert_to(replace(convert_from(data, 'UTF8'), 'openai', 'opnai'), 'UTF8') where stream_id = $1",
            stream
        );

        var (exit, text) = await ReplayAsync(stream.ToString());
        var (jsonExit, json) = await ReplayAsync(stream.ToString(), "--json");

        Assert.Equal((1, 1), (exit, jsonExit));
        Assert.Contains("NOT INTACT", text, StringComparison.Ordinal);
        Assert.False(JsonNode.Parse(json)!["isIntact"]!.GetValue<bool>());
    }

    [Fact]
    public async Task An_event_of_a_later_build_ends_the_state_but_not_the_replay()
    {
        var (tenant, stream) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await StartAsync(tenant, stream);
        await AppendAsync(tenant, stream, 1, new InferenceOutcomeLost(Guid.Empty));
        await ExecuteAsync("update platform.events set type_version = 9 where stream_id = $1 and version = 1", stream);

        var (_, text) = await ReplayAsync(stream.ToString());

        Assert.Contains("From here on there is no state.", text, StringComparison.Ordinal);
        Assert.Contains("2  gateway.inference-outcome-lost", text, StringComparison.Ordinal);
        Assert.DoesNotContain("status:", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_arguments_are_a_wrong_usage()
    {
        await Assert.ThrowsAsync<CommandUsageException>(() => ReplayAsync("0199"));
    }

    private async Task<(int Exit, string Text)> ReplayAsync(params string[] arguments)
    {
        var command = host.CommandNamed("replay");
        await using var output = new StringWriter();
        var exit = await command.RunAsync(arguments, output, Cancellation);
        return (exit, output.ToString());
    }

    private async Task<Guid> StartAsync(Guid tenant, Guid stream, string request = "{}")
    {
        var started = new InferenceStarted(
            "openai.chat-completions",
            "simulator",
            "simulator",
            "simulator",
            Stream: false,
            Guid.Empty,
            ProjectId: null,
            Guid.Empty,
            ClientRequestId: null,
            RecordingLevel.Full,
            RequestDigest: null,
            new RawJson(Encoding.UTF8.GetBytes(request))
        );
        await AppendAsync(tenant, stream, 0, started);
        return stream;
    }

    private async Task AppendAsync(Guid tenant, Guid stream, long version, IEvent @event)
    {
        var result = await Store.AppendAsync(
            new AppendContext(tenant, "system:test", ""),
            new StreamEvents("inference", stream, version, [@event]),
            Cancellation
        );
        Assert.Null(result.Conflict);
    }

    private async Task ExecuteAsync(string sql, Guid stream)
    {
        await using var command = host.Services.GetRequiredService<Database>().Writes.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
