using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.Responses;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Gateway.Conformance;
using static Verbatim.Tests.Integration.Gateway.Responses.Background;

namespace Verbatim.Tests.Integration.Gateway.Responses;

public sealed class BackgroundStreamTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. ConformanceHost.DistinctKinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_stream_that_was_left_is_taken_up_behind_the_last_event_on_any_instance(string kind)
    {
        var marker = Guid.NewGuid().ToString();
        await using var other = await gateway.StartAnotherAsync();
        using var here = gateway.Host.As(gateway.ApiKey);
        using var there = other.As(gateway.ApiKey);
        var seen = new List<JsonNode>();
        using (
            var answer = await PostAsync(
                here,
                ResponsesPath,
                Body($"{ConformanceHost.Model(kind)}@hold-after=7", marker, stream: true)
            )
        )
        {
            // Until the first delta: more does not come before the release.
            await foreach (var @event in EventsAsync(answer))
            {
                seen.Add(@event);
                if (TypeOf(@event) == "response.output_text.delta")
                    break;
            }
        }
        var id = IdOf(seen[0]["response"]!);
        Assert.Equal(["response.created", "response.queued", "response.in_progress"], seen.Take(3).Select(TypeOf));
        Assert.Equal("in_progress", StatusOf(await GetAsync(there, id)));

        var asked = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        using var taken = await FollowAsync(there, id, NumberOf(seen[^1]));
        await asked.HeldAsync(Cancellation);
        asked.Release();
        await foreach (var @event in EventsAsync(taken))
            seen.Add(@event);

        Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(NumberOf));
        Assert.Equal(Hello, Said(seen));
        Assert.Equal("response.completed", TypeOf(seen[^1]));
        Assert.Single(gateway.Provider.Requests.Of(marker));
        Assert.True(JsonNode.DeepEquals(seen[^1]["response"], await GetAsync(there, id)));
        Assert.All(seen.Where(e => e["response"] is not null), e => Assert.Equal(id, IdOf(e["response"]!)));

        // And again when it is over: all of it, a part, nothing.
        var all = await AllAsync(here, id);
        Assert.Equal(seen.Select(e => e.ToJsonString()), all.Select(e => e.ToJsonString()));
        Assert.Equal(
            all.Skip(6).Select(e => e.ToJsonString()),
            (await AllAsync(there, id, after: 5)).Select(e => e.ToJsonString())
        );
        Assert.Empty(await AllAsync(there, id, after: NumberOf(all[^1])));
        Assert.Empty(await AllAsync(there, id, after: 1_000_000));
    }

    [Fact]
    public async Task Who_follows_a_response_that_is_silent_for_long_gets_comments_meanwhile()
    {
        var marker = Guid.NewGuid().ToString();
        using var client = gateway.Host.As(gateway.ApiKey);
        using var answer = await PostAsync(
            client,
            ResponsesPath,
            Body($"{ConformanceHost.Model("openai")}@hold-after=7", marker, stream: true)
        );
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));

        // Half a minute at the most, and a comment each fifteen seconds: by the clock, which nobody moves in a host.
        string? line;
        do line = await lines.ReadLineAsync(Cancellation);
        while (line is not (null or ": keep-alive"));
        Assert.Equal(": keep-alive", line);
        Assert.Equal("", await lines.ReadLineAsync(Cancellation));

        (await gateway.Provider.Requests.FirstAsync(marker, Cancellation)).Release();
        var rest = await lines.ReadToEndAsync(Cancellation);
        Assert.Contains("event: response.completed", rest, StringComparison.Ordinal);
        Assert.DoesNotContain("keep-alive", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Twenty_who_come_and_go_all_see_every_event_once()
    {
        await using var other = await gateway.StartAnotherAsync();
        using var here = gateway.Host.As(gateway.ApiKey);
        using var there = other.As(gateway.ApiKey);
        using var answer = await PostAsync(
            here,
            ResponsesPath,
            Body("gpt-fake@chunks=200,chunk-text=word,chunk-delay-ms=5", "Hello", stream: true)
        );
        var id = "";
        await foreach (var @event in EventsAsync(answer))
        {
            id = IdOf(@event["response"]!);
            break;
        }

        var readers = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => ReadInPiecesAsync(i % 2 == 0 ? here : there, id, 3 + (7 * i)))
        );

        Assert.All(
            readers,
            seen =>
            {
                Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(NumberOf));
                Assert.Equal("response.completed", TypeOf(seen[^1]));
                Assert.Equal(800, Said(seen).Length);
            }
        );
    }

    [Fact]
    public async Task Streams_that_are_made_at_once_lose_no_event_and_keep_none_waiting()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var body = Body("gpt-fake@chunks=60,chunk-text=word,chunk-delay-ms=2", "Hello", stream: true);

        var streams = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(async _ =>
                {
                    using var answer = await PostAsync(client, ResponsesPath, body);
                    return await EventsAsync(answer).ToListAsync(Cancellation);
                })
        );

        Assert.All(
            streams,
            seen =>
            {
                Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(NumberOf));
                Assert.Equal("response.completed", TypeOf(seen[^1]));
                Assert.Equal(240, Said(seen).Length);
            }
        );
    }

    [Fact]
    public async Task Another_instance_cancels_it_and_its_readers_hear_that_it_ends()
    {
        var marker = Guid.NewGuid().ToString();
        await using var other = await gateway.StartAnotherAsync();
        using var here = gateway.Host.As(gateway.ApiKey);
        using var there = other.As(gateway.ApiKey);
        using var answer = await PostAsync(here, ResponsesPath, Body("gpt-fake@hold-after=4", marker, stream: true));
        var asked = await gateway.Provider.Requests.FirstAsync(marker, Cancellation);
        await asked.HeldAsync(Cancellation);
        await using var events = EventsAsync(answer).GetAsyncEnumerator(Cancellation);
        Assert.True(await events.MoveNextAsync());
        var id = IdOf(events.Current["response"]!);

        Assert.Equal("cancelled", StatusOf(await CancelAsync(there, id)));
        await asked.Finished.WaitAsync(TimeSpan.FromSeconds(3), Cancellation);
        var last = events.Current;
        while (await events.MoveNextAsync())
            last = events.Current;

        // The event that OpenAI ends a cancelled stream with.
        Assert.Equal("response.failed", TypeOf(last));
        Assert.Equal("cancelled", StatusOf(last["response"]!));
        Assert.Empty(last["response"]!["output"]!.AsArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_stream_that_breaks_ends_as_failed(string kind)
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        foreach (
            var (commands, message) in ((string, string)[])
                [
                    ("cut-after=7", "broke off"),
                    ("error-after=6,error-message=It%20broke.", "It broke."),
                    ("error-after=0,error-message=It%20broke.", "It broke."),
                    ("status=429,error-message=Slowly.", "Slowly."),
                ]
        )
        {
            using var answer = await PostAsync(
                client,
                ResponsesPath,
                Body($"{gateway.ModelThatFails(kind)}@{commands}", "Hello", stream: true)
            );
            var events = await EventsAsync(answer).ToListAsync(Cancellation);

            Assert.Equal(Enumerable.Range(0, events.Count), events.Select(NumberOf));
            Assert.DoesNotContain("error", events.Select(TypeOf));
            Assert.Equal("response.failed", TypeOf(events[^1]));
            var response = events[^1]["response"]!;
            Assert.Equal("failed", StatusOf(response));
            Assert.Contains(message, response["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.True(JsonNode.DeepEquals(response, await GetAsync(client, IdOf(response))));
        }
    }

    [Fact]
    public async Task Connections_to_the_database_that_break_lose_no_event()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var id = "";
        using (
            var answer = await PostAsync(
                client,
                ResponsesPath,
                Body("gpt-fake@chunks=120,chunk-text=word,chunk-delay-ms=25", "Hello", stream: true)
            )
        )
        {
            await foreach (var @event in EventsAsync(answer))
            {
                id = IdOf(@event["response"]!);
                break;
            }
        }
        await using var direct = NpgsqlDataSource.Create(gateway.Host.ConnectionString);
        for (var round = 0; round < 4; round++)
        {
            await using var command = direct.CreateCommand(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and application_name = 'verbatim'
                """
            );
            Assert.True((long)(await command.ExecuteScalarAsync(Cancellation))! > 0);
            await Task.Delay(500, Cancellation);
        }

        var ended = await EndedAsync(client, id);
        Assert.Equal("completed", StatusOf(ended));
        var all = await AllAsync(client, id);
        Assert.Equal(Enumerable.Range(0, all.Count), all.Select(NumberOf));
        Assert.Equal(480, Said(all).Length);
        Assert.True(JsonNode.DeepEquals(ended, all[^1]["response"]));
    }

    [Fact]
    public async Task What_the_database_refuses_of_one_stream_takes_no_other_with_it()
    {
        var log = gateway.Host.Services.GetRequiredService<OutputLog>();
        var (tenant, subject) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var sound = Enumerable.Range(0, 40).Select(_ => $"resp_{Guid.NewGuid():N}").ToList();
        await using (
            var command = gateway
                .Host.Services.GetRequiredService<Database>()
                .Writes.CreateCommand(
                    """
                    insert into gateway.background_responses
                        (tenant_id, response_id, inference_id, subject_id, cancellation_id, instance_id, is_streamed, created_at)
                    select $1, r, gen_random_uuid(), $2, $2, $2, true, now() from unnest($3::text[]) r
                    """
                )
        )
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenant });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subject });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. sound] });
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        // Postgres takes no NUL in a text.
        var appended = sound.ConvertAll(id => AppendAsync(id));
        var refused = Enumerable.Range(0, 3).Select(i => AppendAsync($"resp_\0{i}")).ToList();
        appended.AddRange(sound.Select(id => AppendAsync(id, first: 1)));

        Assert.All(await Task.WhenAll(appended), Assert.True);
        foreach (var append in refused)
            await Assert.ThrowsAsync<PostgresException>(() => append);

        Task<bool> AppendAsync(string id, int first = 0) =>
            log.AppendAsync(
                new OutputBatch(tenant, id, Guid.NewGuid(), subject, first, first, new byte[1000], IsLast: false),
                Cancellation
            );
    }

    [Fact]
    public async Task A_stream_whose_end_its_instance_could_not_write_is_ended_later_by_who_reads_it()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var services = gateway.Host.Services;
        using var made = await PostAsync(
            client,
            ResponsesPath,
            Body($"{ConformanceHost.Model("openai")}", "Hello", stream: true)
        );
        var told = await EventsAsync(made).ToListAsync(Cancellation);
        var id = IdOf(told[0]["response"]!);
        var me = await client.GetFromJsonAsync<JsonNode>("/api/me", Cancellation);
        var access = Access.ToAll(me!["organizationId"]!.GetValue<Guid>());
        await using (
            var command = services
                .GetRequiredService<Database>()
                .Writes.CreateCommand(
                    $"""
                    with open as (update gateway.background_responses set ended_at = null where response_id = '{id}')
                    delete from gateway.response_output where response_id = '{id}' and last_number = {NumberOf(
                        told[^1]
                    )}
                    """
                )
        )
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));

        // Its instance lives, and may still be about to.
        await EndsAt(TimeProvider.System).EndIfLeftAsync(access, id, Cancellation);
        Assert.False(await HasEndedAsync());
        await EndsAt(new Later()).EndIfLeftAsync(access, id, Cancellation);
        Assert.True(await HasEndedAsync());

        Assert.Equal(told.Select(e => e.ToJsonString()), (await AllAsync(client, id)).Select(e => e.ToJsonString()));

        ResponseEnds EndsAt(TimeProvider time) =>
            new(
                services.GetRequiredService<StoredResponses>(),
                services.GetRequiredService<OutputLog>(),
                services.GetRequiredService<Database>(),
                time
            );

        async Task<bool> HasEndedAsync() =>
            (await services.GetRequiredService<StoredResponses>().FindAsync(access, id, Cancellation))!
                .Background!
                .HasEnded;
    }

    private sealed class Later : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddMinutes(2);
    }

    [Fact]
    public async Task Only_what_was_made_as_a_stream_in_the_background_is_answered_as_one()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var plain = IdOf(await CreateAsync(client, """{"model":"gpt-fake","input":"Hello"}"""));
        var whole = IdOf(await CreateAsync(client, Body("gpt-fake", "Hello")));

        foreach (
            var (path, param, message) in ((string, string, string)[])
                [
                    ($"{plain}?stream=true", "stream", "it was not created with background=true"),
                    ($"{whole}?stream=true", "stream", "it was not created with stream=true"),
                    ($"{whole}?stream=yes", "stream", "give true or false"),
                    ($"{whole}?starting_after=3", "starting_after", "together with stream=true"),
                    ($"{whole}?stream=true&starting_after=x", "starting_after", "a whole number"),
                    ($"{whole}?stream=true&starting_after=-2", "starting_after", "a whole number"),
                ]
        )
        {
            var error = await RefusedAsync(
                client.GetAsync($"{ResponsesPath}/{path}", Cancellation),
                HttpStatusCode.BadRequest
            );
            Assert.Equal(param, error["param"]!.GetValue<string>());
            Assert.Contains(message, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }
        using var asJson = await client.GetAsync($"{ResponsesPath}/{whole}?stream=false", Cancellation);
        Assert.Equal("application/json", asJson.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_kept_stream_is_sealed_and_goes_with_the_response()
    {
        var secret = $"secret{Guid.NewGuid():N}";
        using var client = gateway.Host.As(gateway.ApiKey);
        using var answer = await PostAsync(
            client,
            ResponsesPath,
            Body($"gpt-fake@text={secret}", "Hello", stream: true)
        );
        var events = await EventsAsync(answer).ToListAsync(Cancellation);
        var id = IdOf(events[^1]["response"]!);
        Assert.Equal(secret, Said(events));

        Assert.True(await CountAsync(id) > 0);
        Assert.Equal(0, await CountAsync(id, secret));
        using (var deleted = await client.DeleteAsync($"{ResponsesPath}/{id}", Cancellation))
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Equal(0, await CountAsync(id));
        await RefusedAsync(client.GetAsync($"{ResponsesPath}/{id}?stream=true", Cancellation), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Erasing_the_person_takes_the_stream_away()
    {
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        using var somebody = await gateway.Host.AsNewAsync("user", Cancellation);
        var subject = (await somebody.GetFromJsonAsync<JsonNode>("/api/me", Cancellation))!["userId"]!.GetValue<Guid>();
        using var answer = await PostAsync(somebody, ResponsesPath, Body("gpt-fake", "Hello", stream: true));
        var events = await EventsAsync(answer).ToListAsync(Cancellation);
        var id = IdOf(events[^1]["response"]!);
        Assert.NotEmpty(await AllAsync(administrator, id));

        using (
            var erased = await administrator.PostAsJsonAsync(
                "/api/audit/erasures",
                new { subjectId = subject },
                Cancellation
            )
        )
            Assert.Equal(HttpStatusCode.Created, erased.StatusCode);

        await RefusedAsync(
            administrator.GetAsync($"{ResponsesPath}/{id}?stream=true", Cancellation),
            HttpStatusCode.NotFound
        );
        await RefusedAsync(administrator.GetAsync($"{ResponsesPath}/{id}", Cancellation), HttpStatusCode.NotFound);
        Assert.Equal(0, await CountAsync(id));
    }

    private static async Task<List<JsonNode>> ReadInPiecesAsync(HttpClient client, string id, int most)
    {
        var seen = new List<JsonNode>();
        while (seen.Count == 0 || TypeOf(seen[^1]) != "response.completed")
        {
            using var response = await FollowAsync(client, id, seen.Count == 0 ? null : NumberOf(seen[^1]));
            var left = most;
            await foreach (var @event in EventsAsync(response))
            {
                seen.Add(@event);
                if (--left == 0)
                    break;
            }
        }
        return seen;
    }

    private async Task<long> CountAsync(string id, string containing = "")
    {
        await using var command = gateway
            .Host.Services.GetRequiredService<Database>()
            .Writes.CreateCommand(
                "select count(*) from gateway.response_output where response_id = $1 and position($2::bytea in events) > 0"
            );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        command.Parameters.Add(
            new NpgsqlParameter<byte[]> { TypedValue = System.Text.Encoding.UTF8.GetBytes(containing) }
        );
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
