using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Tests.Integration.Gateway;

public sealed class ChatCompletionTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_passes_untouched_both_ways_and_is_on_record()
    {
        var marker = Guid.NewGuid().ToString();
        // White space, an unknown field, escapes, an odd number and a repeated unknown key: all of it belongs to the caller.
        var body =
            $$"""{ "model":"gpt-fake" ,"messages":[{"role":"user","content":"\u00e9\ud83d\ude00"}],"temperature":1.10,"x-new":{"a":1,"a":2}, "user":"{{marker}}" }""";

        using var response = await gateway.PostAsync(body, Cancellation);
        var answer = await response.Content.ReadAsByteArrayAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        Assert.Equal(body, received.BodyText);
        Assert.Equal(received.SentBody, answer);
        Assert.Equal("Bearer sk-the-providers-own", received.Header("Authorization"));

        var record = await gateway.RecordOfAsync(response, Cancellation);
        Assert.Equal(["gateway.inference-started", "gateway.inference-completed"], record.Select(e => e.Type));
        Assert.All(record, e => Assert.StartsWith("api-key:", e.Actor, StringComparison.Ordinal));
        Assert.Contains(body, await gateway.TextAsync(record[0], Cancellation), StringComparison.Ordinal);
        Assert.Contains(
            Encoding.UTF8.GetString(answer),
            await gateway.TextAsync(record[1], Cancellation),
            StringComparison.Ordinal
        );
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(InferenceStatus.Completed, inference.Status);
        Assert.Equal(
            ("gpt-fake", "fake", "openai-compatible"),
            (inference.Model, inference.Deployment, inference.Provider)
        );
        Assert.Equal(19, inference.Usage!.InputTokens);
        Assert.Equal(9, inference.Usage.OutputTokens);
        Assert.Equal(200, Assert.Single(inference.Attempts!).Status);
        Assert.InRange(inference.Latency!.FirstByteMs!.Value, 0, inference.Latency.TotalMs);
    }

    [Fact]
    public async Task The_intent_is_durable_before_the_provider_hears_of_the_call()
    {
        var marker = Guid.NewGuid().ToString();
        var requestId = $"intent-{marker}";
        var answering = gateway.PostAsync(
            Ask(marker, """{"hold_after":"request"}"""),
            Cancellation,
            request => request.Headers.Add("x-request-id", requestId)
        );
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);

        // The provider has it and answers nothing yet; another connection to the database sees the intent.
        await using var source = Npgsql.NpgsqlDataSource.Create(gateway.Host.ConnectionString);
        await using var command = source.CreateCommand(
            "select stream_id from platform.events where type = 'gateway.inference-started' and correlation = $1"
        );
        command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = requestId });
        var id = Assert.IsType<Guid>(await command.ExecuteScalarAsync(Cancellation));
        var intent = Assert.Single(await gateway.RecordOfAsync(id, Cancellation));
        Assert.Contains(marker, await gateway.TextAsync(intent, Cancellation), StringComparison.Ordinal);

        received.Release();
        using var response = await answering;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_outcome_of_a_stream_is_durable_before_its_last_event()
    {
        using var response = await gateway.PostAsync(Ask("x", """{"chunks":3}""", stream: true), Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        string? line;
        while ((line = await reader.ReadLineAsync(Cancellation)) != "data: [DONE]")
            Assert.NotNull(line);

        Assert.Equal(2, (await gateway.RecordOfAsync(response, Cancellation)).Count);
    }

    [Fact]
    public async Task A_stream_is_passed_on_event_by_event_as_it_comes()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await gateway.PostAsync(
            Ask(marker, """{"chunks":4,"hold_after":[2]}""", stream: true, includeUsage: true),
            Cancellation
        );
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        await using var stream = await response.Content.ReadAsStreamAsync(Cancellation);
        using var reader = new StreamReader(stream);

        // Two events have left the provider, and no more will: they must be here.
        await received.EventsAsync(2, Cancellation);
        var early = new StringBuilder();
        for (var line = 0; line < 4; line++)
            early.Append(await reader.ReadLineAsync(Cancellation)).Append('\n');
        received.Release();
        var all = early + await reader.ReadToEndAsync(Cancellation);

        await received.Finished;
        Assert.Equal(Encoding.UTF8.GetString(received.SentBody), all);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("lf", 1)]
    [InlineData("crlf", 1)]
    [InlineData("cr", 3)]
    [InlineData("crlf", 7)]
    public async Task A_stream_split_anywhere_arrives_whole(string lineEnding, int splitEvery)
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await gateway.PostAsync(
            Ask(
                marker,
                $$"""{"chunks":5,"line_ending":"{{lineEnding}}","split_every":{{splitEvery}},"comment":"ping"}""",
                stream: true,
                includeUsage: true
            ),
            Cancellation
        );
        var all = await response.Content.ReadAsByteArrayAsync(Cancellation);

        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        Assert.Equal(received.SentBody, all);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(InferenceStatus.Completed, inference.Status);
        Assert.Equal(
            "stop",
            JsonNode.Parse(inference.Response!.Value.Utf8.Span)!["choices"]![0]!["finish_reason"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task A_stream_is_recorded_put_together_with_its_tool_calls()
    {
        using var response = await gateway.PostAsync(
            Ask(
                "x",
                """{"tool_calls":[{"name":"a","arguments":{"city":"Oslo"}},{"name":"b","arguments":{}}],"interleave":true}""",
                stream: true
            ),
            Cancellation
        );
        await response.Content.ReadAsByteArrayAsync(Cancellation);

        var inference = await gateway.InferenceAsync(response, Cancellation);
        var calls = JsonNode.Parse(inference.Response!.Value.Utf8.Span)!["choices"]![0]!["message"]![
            "tool_calls"
        ]!.AsArray();
        Assert.Equal(["a", "b"], calls.Select(c => c!["function"]!["name"]!.GetValue<string>()));
        Assert.Equal(
            "Oslo",
            JsonNode.Parse(calls[0]!["function"]!["arguments"]!.GetValue<string>())!["city"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task Every_stream_is_asked_for_its_usage_but_only_the_caller_who_asked_gets_it()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await gateway.PostAsync(Ask(marker, """{"chunks":3}""", stream: true), Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        Assert.True(JsonNode.Parse(received.BodyText)!["stream_options"]!["include_usage"]!.GetValue<bool>());
        Assert.DoesNotContain("\"choices\":[]", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Equal(3, (await gateway.InferenceAsync(response, Cancellation)).Usage!.OutputTokens);
    }

    [Theory]
    [InlineData("zero", 0L, false)]
    [InlineData("none", 9L, true)]
    public async Task An_explicit_zero_is_kept_and_an_absent_count_is_estimated(
        string counted,
        long expected,
        bool isEstimated
    )
    {
        using var response = await gateway.PostAsync(Ask("x", $$"""{"usage":"{{counted}}"}"""), Cancellation);

        var usage = (await gateway.InferenceAsync(response, Cancellation)).Usage!;
        Assert.Equal((expected, isEstimated), (usage.OutputTokens!.Value, usage.Estimated));
    }

    [Fact]
    public async Task The_model_is_renamed_and_nothing_else()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await gateway.PostAsync(
            $$"""{"user":"{{marker}}",  "model" : "fast", "messages":[]}""",
            Cancellation
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        Assert.Equal($$"""{"user":"{{marker}}",  "model" : "gpt-fake-2030-01-01", "messages":[]}""", received.BodyText);
        Assert.Null(received.Header("Authorization"));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(400)]
    public async Task A_providers_error_is_passed_on_and_recorded_as_failed(int status)
    {
        var model = gateway.ModelThatMayFail();
        using var response = await gateway.PostAsync(
            Ask("x", $$"""{"status":{{status}},"retry_after":7}""", model: model),
            Cancellation
        );
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(status, (int)response.StatusCode);
        Assert.NotNull(error["message"]);
        Assert.Equal("7", response.Headers.GetValues("Retry-After").Single());
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(
            (InferenceStatus.Failed, "upstream-status", status),
            (inference.Status, inference.Error!.Code, inference.Error.Status)
        );
        Assert.Equal(status, inference.Attempts![0].Status);
        Assert.Equal(model, inference.Attempts[0].Deployment);
    }

    [Fact]
    public async Task A_providers_401_is_not_the_callers()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"status":401}""", model: gateway.ModelThatMayFail()),
            Cancellation
        );

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("upstream-credential-refused", (await gateway.InferenceAsync(response, Cancellation)).Error!.Code);
    }

    [Fact]
    public async Task A_stream_that_is_cut_ends_in_an_error_event_and_a_failed_record_with_what_came()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"chunks":6,"chunk_text":"word ","cut_after":"3+10"}""", stream: true),
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        var last = text.TrimEnd().Split("\n\n")[^1];
        Assert.NotNull(JsonNode.Parse(last["data: ".Length..])!["error"]!["message"]);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal((InferenceStatus.Failed, "upstream-broken"), (inference.Status, inference.Error!.Code));
        Assert.Contains(
            "word word ",
            Encoding.UTF8.GetString(inference.Response!.Value.Utf8.Span),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_stream_that_ends_early_is_no_success()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"chunks":6,"end_after":3}""", stream: true),
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("\"error\"", text, StringComparison.Ordinal);
        Assert.Equal(InferenceStatus.Failed, (await gateway.InferenceAsync(response, Cancellation)).Status);
    }

    [Fact]
    public async Task A_stream_without_DONE_that_is_complete_is_a_success()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"chunks":3,"done":false}""", stream: true),
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.DoesNotContain("error", text, StringComparison.Ordinal);
        Assert.Equal(InferenceStatus.Completed, (await gateway.InferenceAsync(response, Cancellation)).Status);
    }

    [Fact]
    public async Task An_error_inside_a_stream_is_passed_on_and_recorded_as_failed()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"chunks":6,"error_after":3}""", stream: true),
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("\"error\"", text, StringComparison.Ordinal);
        Assert.Equal("upstream-error", (await gateway.InferenceAsync(response, Cancellation)).Error!.Code);
    }

    [Fact]
    public async Task A_provider_that_stalls_ends_in_an_error_event()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"chunks":6,"stall_after":3}""", stream: true, model: "impatient"),
            Cancellation
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("\"error\"", text, StringComparison.Ordinal);
        Assert.Equal("upstream-timeout", (await gateway.InferenceAsync(response, Cancellation)).Error!.Code);
    }

    [Fact]
    public async Task A_provider_that_never_begins_is_a_504()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"stall_after":"request"}""", model: "impatient"),
            Cancellation
        );

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal("upstream-timeout", (await gateway.InferenceAsync(response, Cancellation)).Error!.Code);
    }

    [Fact]
    public async Task A_provider_that_cannot_be_reached_is_a_502()
    {
        using var response = await gateway.PostAsync(Ask("x", "{}", model: "gone"), Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("upstream-unreachable", (await gateway.InferenceAsync(response, Cancellation)).Error!.Code);
    }

    [Fact]
    public async Task Garbage_with_a_200_is_a_502_and_is_kept()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"body":"<html>busy</html>","content_type":"text/html"}"""),
            Cancellation
        );

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal("upstream-broken", inference.Error!.Code);
        Assert.Equal("<html>busy</html>", JsonNode.Parse(inference.Response!.Value.Utf8.Span)!.GetValue<string>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_leaves_ends_the_call_and_leaves_a_cancelled_record(bool stream)
    {
        var marker = Guid.NewGuid().ToString();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var hold = stream ? """{"chunks":6,"chunk_text":"word ","hold_after":[3]}""" : """{"hold_after":"request"}""";
        var answering = gateway.PostAsync(
            Ask(marker, hold, stream),
            leaving.Token,
            r => r.Headers.Add("x-client-request-id", marker)
        );
        var received = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        if (stream)
        {
            using var response = await answering;
            await received.HeldAsync(Cancellation);
            var id = Guid.Parse(response.Headers.GetValues(GatewayHost.InferenceIdHeader).Single());
            await ReadUntilAsync(response, "word word", Cancellation);
            response.Dispose();

            var outcome = await gateway.OutcomeOfAsync(id, Cancellation);
            Assert.Equal("gateway.inference-cancelled", outcome.Type);
            Assert.Contains(
                "word word",
                (await gateway.DataAsync(outcome, Cancellation))["response"]!.ToJsonString(),
                StringComparison.Ordinal
            );
        }
        else
        {
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answering);
        }

        await received.Finished.WaitAsync(Cancellation);
        Assert.NotNull(received.ClientLeftAt);
    }

    [Fact]
    public async Task Headers_of_the_provider_that_are_not_the_callers_stay_behind()
    {
        using var response = await gateway.PostAsync(
            Ask("x", """{"provider_headers":true,"hop_headers":true}"""),
            Cancellation
        );

        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.DoesNotContain(
            response.Headers,
            h => h.Key.StartsWith("x-ratelimit", StringComparison.OrdinalIgnoreCase)
        );
        Assert.True(response.Headers.Contains("openai-processing-ms"));
        Assert.NotNull((await gateway.InferenceAsync(response, Cancellation)).Attempts![0].UpstreamRequestId);
    }

    [Fact]
    public async Task The_request_id_of_the_client_is_echoed_and_recorded()
    {
        using var response = await gateway.PostAsync(
            Ask("x", "{}"),
            Cancellation,
            r =>
            {
                r.Headers.Add("x-request-id", "the-clients-own-1");
                r.Headers.Add("x-client-request-id", "sdk-2");
            }
        );

        Assert.Equal("the-clients-own-1", response.Headers.GetValues("x-request-id").Single());
        var record = await gateway.RecordOfAsync(response, Cancellation);
        Assert.All(record, e => Assert.Equal("the-clients-own-1", e.Correlation));
        Assert.Equal("sdk-2", (await gateway.InferenceAsync(response, Cancellation)).ClientRequestId);
    }

    [Fact]
    public async Task An_answer_of_ten_megabytes_passes()
    {
        using var response = await gateway.PostAsync(Ask("x", """{"bytes":10000000}"""), Cancellation);
        var answer = await response.Content.ReadAsByteArrayAsync(Cancellation);

        Assert.InRange(answer.Length, 10_000_000, 10_010_000);
        Assert.Equal(2, (await gateway.RecordOfAsync(response, Cancellation)).Count);
    }

    private static async Task ReadUntilAsync(
        HttpResponseMessage response,
        string words,
        CancellationToken cancellationToken
    )
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var seen = new StringBuilder();
        var buffer = new byte[4096];
        while (!string.Concat(Contents(seen.ToString())).Contains(words, StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, cancellationToken);
            Assert.NotEqual(0, read);
            seen.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }

    private static IEnumerable<string> Contents(string events) =>
        events
            .Split("\n\n")
            .SkipLast(1)
            .Select(e =>
                JsonNode.Parse(e["data: ".Length..])?["choices"]?[0]?["delta"]?["content"]?.GetValue<string>() ?? ""
            );

    private static string Ask(
        string marker,
        string commands,
        bool stream = false,
        bool includeUsage = false,
        string model = "gpt-fake"
    ) =>
        $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hello"}],"user":"{{marker}}","stream":{{(stream ? "true" : "false")}}{{(includeUsage ? ",\"stream_options\":{\"include_usage\":true}" : "")}},"x_upstream":{{commands}}}""";
}
