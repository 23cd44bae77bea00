using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Operations;

/// <summary>What people see of background work, and decide about it, over HTTP and with ./run.</summary>
public sealed class OperationsTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Database Database => host.Services.GetRequiredService<Database>();

    [Fact]
    public async Task A_subscription_is_paused_and_resumed_and_both_are_on_record()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var name = await NewSubscriptionAsync();
        var before = await GetAsync(admin, $"/api/admin/subscriptions/{name}");
        Assert.Equal("idle", before["state"]!.GetValue<string>());
        Assert.True(before["lag"]!.GetValue<long>() > 0);
        Assert.True(before["lagSeconds"]!.GetValue<double>() > 0);

        var paused = await PostAsync(admin, $"/api/admin/subscriptions/{name}/pause");
        await PostAsync(admin, $"/api/admin/subscriptions/{name}/pause");
        var resumed = await PostAsync(admin, $"/api/admin/subscriptions/{name}/resume");

        Assert.Equal("paused", paused["state"]!.GetValue<string>());
        Assert.Equal("idle", resumed["state"]!.GetValue<string>());
        Assert.Equal(
            ["operations.subscription-paused", "operations.subscription-resumed"],
            await EventsAsync($"convert_from(data, 'UTF8') like '%{name}%'")
        );
    }

    [Fact]
    public async Task Subscriptions_are_listed_page_by_page()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        for (var i = 0; i < 3; i++)
            await NewSubscriptionAsync();
        var names = new List<string>();
        for (string? cursor = null; ; )
        {
            var page = await GetAsync(
                admin,
                $"/api/admin/subscriptions?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}"
            );
            names.AddRange(page["data"]!.AsArray().Select(s => s!["name"]!.GetValue<string>()));
            cursor = page["nextCursor"]?.GetValue<string>();
            if (cursor is null)
                break;
        }

        Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        Assert.True(names.Count >= 3);
    }

    [Fact]
    public async Task A_dead_letter_shows_the_event_from_the_log_and_is_decided_about_once()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var letter = await NewLetterAsync(await TenantAsync(), "waiting");

        var shown = await GetAsync(admin, $"/api/admin/dead-letters/{letter}");
        Assert.Equal(1, shown["position"]!.GetValue<long>());
        Assert.Equal(
            await ScalarAsync<string>("select convert_from(data, 'UTF8') from platform.events where position = 1"),
            shown["payload"]!.ToJsonString(
                new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        );
        var listed = await GetAsync(admin, "/api/admin/dead-letters?status=waiting&limit=200");
        Assert.Contains(listed["data"]!.AsArray(), l => l!["id"]!.GetValue<Guid>() == letter);

        var retried = await PostAsync(admin, $"/api/admin/dead-letters/{letter}/retry");
        Assert.Equal("retrying", retried["status"]!.GetValue<string>());
        await RefusedAsync(
            admin,
            $"/api/admin/dead-letters/{letter}/discard",
            409,
            "operations.dead-letter-not-waiting"
        );
        Assert.Equal(["operations.dead-letter-retried"], await EventsAsync($"stream_id = '{letter}'"));
    }

    [Fact]
    public async Task What_is_parked_waits_for_what_is_before_it()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var letter = await NewLetterAsync(await TenantAsync(), "parked");

        await RefusedAsync(admin, $"/api/admin/dead-letters/{letter}/retry", 409, "operations.dead-letter-not-waiting");
        Assert.Empty(await EventsAsync($"stream_id = '{letter}'"));
    }

    [Fact]
    public async Task Another_organizations_dead_letters_and_jobs_are_not_there()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var stranger = Guid.CreateVersion7();
        var (letter, job) = (await NewLetterAsync(stranger, "waiting"), await NewJobAsync(stranger, "dead"));

        await RefusedAsync(admin, $"/api/admin/dead-letters/{letter}/retry", 404, "operations.dead-letter-not-found");
        foreach (var verb in (string[])["retry", "discard", "cancel"])
            await RefusedAsync(admin, $"/api/admin/jobs/{job}/{verb}", 404, "operations.job-not-found");
        using var hidden = await admin.GetAsync($"/api/admin/jobs/{job}", Cancelled);
        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);
        foreach (var list in (string[])["dead-letters", "jobs"])
        {
            var listed = await GetAsync(admin, $"/api/admin/{list}?limit=200");
            Assert.DoesNotContain(
                listed["data"]!.AsArray(),
                l => l!["id"]!.GetValue<Guid>() is var id && (id == letter || id == job)
            );
        }
    }

    [Fact]
    public async Task Jobs_are_retried_discarded_and_cancelled_where_that_makes_sense()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var tenant = await TenantAsync();
        var (retried, discarded, cancelled) = (
            await NewJobAsync(tenant, "dead"),
            await NewJobAsync(tenant, "dead"),
            await NewJobAsync(tenant, "waiting")
        );

        Assert.Equal(
            "waiting",
            (await PostAsync(admin, $"/api/admin/jobs/{retried}/retry"))["status"]!.GetValue<string>()
        );
        Assert.Equal(
            "discarded",
            (await PostAsync(admin, $"/api/admin/jobs/{discarded}/discard"))["status"]!.GetValue<string>()
        );
        Assert.Equal(
            "cancelled",
            (await PostAsync(admin, $"/api/admin/jobs/{cancelled}/cancel"))["status"]!.GetValue<string>()
        );
        await RefusedAsync(admin, $"/api/admin/jobs/{cancelled}/cancel", 409, "operations.job-finished");
        await RefusedAsync(admin, $"/api/admin/jobs/{retried}/discard", 409, "operations.job-not-dead");
        Assert.Equal(
            """{"number":1}""",
            (await GetAsync(admin, $"/api/admin/jobs/{retried}"))["payload"]!.ToJsonString()
        );
        Assert.Equal(["operations.job-cancelled"], await EventsAsync($"stream_id = '{cancelled}'"));
        // The append of a decision that came too late was not stored either.
        Assert.Equal(["operations.job-retried"], await EventsAsync($"stream_id = '{retried}'"));
    }

    [Fact]
    public async Task An_auditor_may_look_and_a_user_may_not_even_that()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancelled);
        using var user = await host.AsNewAsync("user", Cancelled);
        var name = await NewSubscriptionAsync();

        foreach (var path in (string[])["subscriptions", $"subscriptions/{name}", "dead-letters", "jobs"])
        {
            await GetAsync(auditor, $"/api/admin/{path}");
            using var forbidden = await user.GetAsync($"/api/admin/{path}", Cancelled);
            Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        }
        using var refused = await auditor.PostAsync($"/api/admin/subscriptions/{name}/pause", null, Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Theory]
    [InlineData("jobs?status=asleep", "Give one of: waiting")]
    [InlineData("jobs?type=No%20Such", "lower case")]
    [InlineData("dead-letters?status=asleep", "Give one of: waiting")]
    [InlineData("dead-letters?cursor=x!", "invalid-cursor")]
    [InlineData("jobs?cursor=x!", "invalid-cursor")]
    [InlineData("subscriptions?cursor=x!", "invalid-cursor")]
    public async Task A_filter_that_is_wrong_is_told(string path, string words)
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        using var refused = await admin.GetAsync($"/api/admin/{path}", Cancelled);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains(words, await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_projection_can_be_rebuilt()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var name = await NewSubscriptionAsync();

        await RefusedAsync(admin, $"/api/admin/subscriptions/{name}/rebuild", 404, "operations.projection-not-found");
        Assert.Contains("no projection", await RunAsync(1, "rebuild-projection", name), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_decision_is_made_once_for_an_idempotency_key()
    {
        using var admin = await host.AsAdministratorAsync(Cancelled);
        var job = await NewJobAsync(await TenantAsync(), "dead");
        admin.DefaultRequestHeaders.Add("Idempotency-Key", $"{job}");

        var first = await PostAsync(admin, $"/api/admin/jobs/{job}/retry");
        var second = await PostAsync(admin, $"/api/admin/jobs/{job}/retry");

        Assert.Equal(first.ToJsonString(), second.ToJsonString());
        Assert.Equal(["operations.job-retried"], await EventsAsync($"stream_id = '{job}'"));
    }

    [Fact]
    public async Task An_operator_does_the_same_with_run()
    {
        var name = await NewSubscriptionAsync();
        var letter = await NewLetterAsync(Guid.CreateVersion7(), "waiting");
        var job = await NewJobAsync(Guid.CreateVersion7(), "dead");

        Assert.Contains(
            $"{name} is paused.",
            await RunAsync(0, "subscriptions", "pause", name),
            StringComparison.Ordinal
        );
        Assert.Contains($"{name}  paused", await RunAsync(0, "subscriptions"), StringComparison.Ordinal);
        Assert.Contains(
            "There is no subscription",
            await RunAsync(1, "subscriptions", "resume", "test.none"),
            StringComparison.Ordinal
        );
        Assert.Contains($"{letter}", await RunAsync(0, "dead-letters"), StringComparison.Ordinal);
        Assert.Contains("discard", await RunAsync(0, "dead-letters", "discard", $"{letter}"), StringComparison.Ordinal);
        Assert.Contains(
            "It is discarding.",
            await RunAsync(1, "dead-letters", "retry", $"{letter}"),
            StringComparison.Ordinal
        );
        Assert.Contains($"{job}", await RunAsync(0, "jobs"), StringComparison.Ordinal);
        Assert.Contains("retry", await RunAsync(0, "jobs", "retry", $"{job}"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<CommandUsageException>(() => RunAsync(2, "jobs", "retry", "one"));
        Assert.Equal(
            ["operations.dead-letter-discarded"],
            await EventsAsync($"stream_id = '{letter}' and actor = 'system:operator'")
        );
        Assert.Equal(["operations.job-retried"], await EventsAsync($"stream_id = '{job}'"));
    }

    private async Task<string> RunAsync(int exitCode, string command, params string[] arguments)
    {
        await using var output = new StringWriter();
        var found = host.CommandNamed(command);
        Assert.Equal(exitCode, await found.RunAsync(arguments, output, Cancelled));
        return output.ToString();
    }

    private Task<Guid> TenantAsync() => ScalarAsync<Guid>("select tenant_id from platform.events where position = 1");

    private async Task<string> NewSubscriptionAsync()
    {
        var name = $"test.{Guid.CreateVersion7():N}";
        await ScalarAsync<object>($"insert into platform.subscriptions (name) values ('{name}')");
        return name;
    }

    private async Task<Guid> NewLetterAsync(Guid tenant, string status)
    {
        var id = Guid.CreateVersion7();
        await ScalarAsync<object>(
            $"""
            insert into platform.dead_letters (tenant_id, id, subscription, stream_id, stream_type, position, type, status, reason, attempts)
            select '{tenant}', '{id}', 'test.nobody', '{id}', stream_type, position, type, '{status}', 'It fails.', 10
            from platform.events where position = 1
            """
        );
        return id;
    }

    private async Task<Guid> NewJobAsync(Guid tenant, string status)
    {
        var id = Guid.CreateVersion7();
        var payload = """{"number":1}""";
        await ScalarAsync<object>(
            $"""
            insert into platform.jobs (tenant_id, id, type, queue, payload, priority, due_at, status, actor, correlation)
            values ('{tenant}', '{id}', 'test.nothing', 'nobodys', '{payload}', 0, now(), '{status}', 'system:test', '')
            """
        );
        return id;
    }

    private async Task<List<string>> EventsAsync(string where)
    {
        await using var command = Database.Writes.CreateCommand(
            $"select type from platform.events where type like 'operations.%' and {where} order by position"
        );
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        var types = new List<string>();
        while (await reader.ReadAsync(Cancelled))
            types.Add(reader.GetString(0));
        return types;
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.Writes.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancelled))!;
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path) =>
        (await client.GetFromJsonAsync<JsonNode>(path, Cancelled))!;

    private static async Task<JsonNode> PostAsync(HttpClient client, string path)
    {
        using var response = await client.PostAsync(path, null, Cancelled);
        var text = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private static async Task RefusedAsync(HttpClient client, string path, int status, string code)
    {
        using var response = await client.PostAsync(path, null, Cancelled);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(code, await response.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }
}
