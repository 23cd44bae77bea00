using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.InferenceIndex;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Inferences;

/// <summary>The list of model calls: what each filter finds, who sees what, and what stands in the table behind it.</summary>
public sealed class InferenceListTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A call as it is put into the log; what is not set is as in most calls.</summary>
    private sealed record Made
    {
        public string Model { get; init; } = "gpt-a";
        public string Deployment { get; init; } = "east";
        public string Provider { get; init; } = "openai";
        public Guid? ApiKey { get; init; }
        public Guid? Project { get; init; }
        public string Wire { get; init; } = "openai.chat-completions";
        public bool Stream { get; init; }
        public string? ClientRequestId { get; init; }
        public decimal? Cost { get; init; }
        public double Latency { get; init; } = 10;
        public string? Error { get; init; }
        public bool IsCancelled { get; init; }
        public bool IsOpen { get; init; }
        public bool IsLost { get; init; }
        public string Asked { get; init; } = "hello";
        public string Answered { get; init; } = "good day";
    }

    public static TheoryData<string, string> Filters =>
        new()
        {
            { "model", "model=gpt-b" },
            { "deployment", "deployment=west" },
            { "provider", "provider=anthropic" },
            { "apiKey", "apiKeyId={key}" },
            { "project", "projectId={project}" },
            { "client", "clientRequestId=billing:42" },
            { "failed", "status=failed" },
            { "cancelled", "status=cancelled" },
            { "open", "status=started" },
            { "lost", "status=unknown" },
            { "wire", "wire=anthropic.messages" },
            { "stream", "stream=true" },
            { "dear", "minCost=0.5" },
            { "cheap", "maxCost=0.0001" },
            { "dear", "minCost=0.5&maxCost=2" },
            { "slow", "minLatencyMs=1000.5" },
            { "failed", "error=upstream-timeout" },
            { "asked", "text=Zanzibar" },
            { "answered", "text=KUALA%20lumpur" },
            { "both", "text=orinoco%20amazon" },
            { "stream", "stream=true&wire=openai.chat-completions&model=gpt-a&status=completed" },
        };

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task A_filter_finds_the_calls_that_it_names_and_no_others(string name, string query)
    {
        var (key, project) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var made = new Dictionary<string, Made>(StringComparer.Ordinal)
        {
            ["plain"] = new(),
            ["model"] = new() { Model = "gpt-b" },
            ["deployment"] = new() { Deployment = "west" },
            ["provider"] = new() { Provider = "anthropic" },
            ["apiKey"] = new() { ApiKey = key },
            ["project"] = new() { Project = project },
            ["client"] = new() { ClientRequestId = "billing:42" },
            ["failed"] = new() { Error = "upstream-timeout" },
            ["cancelled"] = new() { IsCancelled = true },
            ["open"] = new() { IsOpen = true },
            ["lost"] = new() { IsLost = true },
            ["wire"] = new() { Wire = "anthropic.messages" },
            ["stream"] = new() { Stream = true },
            ["dear"] = new() { Cost = 1.25m },
            ["cheap"] = new() { Cost = 0.00005m },
            ["slow"] = new() { Latency = 2000 },
            ["asked"] = new() { Asked = "Where is Zanzibar?" },
            ["answered"] = new() { Answered = "In Kuala Lumpur, Malaysia" },
            ["both"] = new() { Asked = "the Amazon", Answered = "and the Orinoco" },
            ["half"] = new() { Asked = "the Amazon" },
        };
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var user = Guid.CreateVersion7();
        var ids = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var (which, call) in made)
            ids[which] = await RecordAsync(await TenantAsync(), user, call);
        await CaughtUpAsync();

        var filled = query
            .Replace("{key}", $"{key}", StringComparison.Ordinal)
            .Replace("{project}", $"{project}", StringComparison.Ordinal);
        var found = await AllAsync(administrator, $"userId={user}&{filled}", limit: 200);

        Assert.Equal([ids[name]], found.Select(IdOf));
        Assert.Equal(made.Count, (await AllAsync(administrator, $"userId={user}", limit: 200)).Count);
    }

    [Fact]
    public async Task A_window_of_time_has_its_begin_and_not_its_end()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var user = Guid.CreateVersion7();
        for (var i = 0; i < 3; i++)
            await RecordAsync(await TenantAsync(), user, new Made());
        await CaughtUpAsync();
        var rows = await AllAsync(administrator, $"userId={user}", limit: 10);
        var middle = Uri.EscapeDataString(rows[1]["startedAt"]!.GetValue<string>());

        var from = await AllAsync(administrator, $"userId={user}&from={middle}", limit: 10);
        var to = await AllAsync(administrator, $"userId={user}&to={middle}", limit: 10);

        Assert.Equal([IdOf(rows[0]), IdOf(rows[1])], from.Select(IdOf));
        Assert.Equal([IdOf(rows[2])], to.Select(IdOf));
    }

    [Fact]
    public async Task A_row_tells_all_that_is_counted_and_the_call_itself_the_rest()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (user, key, project) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var made = new Made
        {
            ApiKey = key,
            Project = project,
            Error = "upstream-broken",
            Cost = 0.0125m,
            Stream = true,
            ClientRequestId = "run:7",
            Deployment = "west",
        };
        var id = await RecordAsync(await TenantAsync(), user, made);
        await CaughtUpAsync();

        var row = Assert.Single(await AllAsync(administrator, $"userId={user}", limit: 10));
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(
                    $$"""
                    {"id":"{{id}}","startedAt":"{{row["startedAt"]}}","endedAt":"{{row[
                        "endedAt"
                    ]}}","status":"failed","wire":"openai.chat-completions",
                    "model":"gpt-a","deployment":"west","provider":"openai","stream":true,"userId":"{{user}}","apiKeyId":"{{key}}","projectId":"{{project}}",
                    "clientRequestId":"run:7","recording":"full","attemptCount":2,"usage":{"inputTokens":7,"outputTokens":5,"totalTokens":12,
                    "cachedInputTokens":3,"cacheWriteTokens":2,"reasoningTokens":1,"estimated":true},"cost":0.0125,
                    "latency":{"firstByteMs":1.5,"totalMs":10},"errorCode":"upstream-broken","errorStatus":502}
                    """
                ),
                row
            ),
            row.ToJsonString()
        );

        var call = await administrator.GetJsonAsync($"/api/inferences/{id}");
        Assert.Equal("\"2\"", call["$etag"]!.GetValue<string>());
        Assert.Equal("hello", call["request"]!["messages"]![0]!["content"]!.GetValue<string>());
        Assert.Equal("good day", call["response"]!["choices"]![0]!["message"]!["content"]!.GetValue<string>());
        Assert.Equal(["east", "west"], call["attempts"]!.AsArray().Select(a => a!["deployment"]!.GetValue<string>()));
        Assert.Equal("upstream-status", call["attempts"]![0]!["failure"]!.GetValue<string>());
        Assert.Equal("req-2", call["attempts"]![1]!["upstreamRequestId"]!.GetValue<string>());
        Assert.Equal($"/api/audit/streams/{id}", call["events"]!.GetValue<string>());
        Assert.Equal(
            id,
            (await administrator.GetJsonAsync(call["events"]!.GetValue<string>()))["streamId"]!.GetValue<Guid>()
        );
        foreach (var name in (string[])["startedAt", "endedAt", "cost", "usage", "latency", "apiKeyId", "deployment"])
            Assert.True(JsonNode.DeepEquals(row[name], call[name]), name);
        var without = await administrator.GetJsonAsync($"/api/inferences/{id}?bodies=false");
        Assert.Null(without["request"]);
        Assert.Null(without["response"]);
        Assert.Equal("failed", without["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Pages_have_every_call_once_newest_first_even_when_a_page_looks_at_few()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var tenant = await TenantAsync();
        var user = Guid.CreateVersion7();
        var ids = new List<Guid>();
        for (var i = 0; i < 23; i++)
            ids.Add(
                await RecordAsync(
                    tenant,
                    user,
                    new Made { Model = i % 5 == 0 ? "rare" : "common", Asked = i % 7 == 0 ? "needle" : "hay" }
                )
            );
        await CaughtUpAsync();
        ids.Reverse();

        Assert.Equal(ids, (await AllAsync(administrator, $"userId={user}", limit: 4)).Select(IdOf));

        var listing = new InferenceListing(
            host.Services.GetRequiredService<Database>(),
            host.Services.GetRequiredService<DocumentStore>(),
            host.Services.GetRequiredService<SearchKeys>(),
            TimeProvider.System
        )
        {
            MaxWalked = 3,
            MaxOpened = 2,
        };
        foreach (
            var (filter, expected) in new (InferenceFilter, IEnumerable<Guid>)[]
            {
                (new InferenceFilter { Model = "rare", UserId = user }, ids.Where((_, i) => (22 - i) % 5 == 0)),
                (new InferenceFilter { Text = "needle", UserId = user }, ids.Where((_, i) => (22 - i) % 7 == 0)),
                (new InferenceFilter { Text = "absent", UserId = user }, []),
            }
        )
        {
            var found = new List<Guid>();
            Guid? before = null;
            var pages = 0;
            do
            {
                var page = await listing.ReadAsync(Access.ToAll(tenant), filter, before, 2, Cancellation);
                Assert.InRange(page.Rows.Count, 0, 2);
                found.AddRange(page.Rows.Select(r => r.Id));
                before = page.Next;
                pages++;
            } while (before is not null);
            Assert.Equal(expected, found);
            Assert.True(pages >= 23 / 3);
        }
    }

    [Fact]
    public async Task Many_who_look_for_words_at_once_do_not_wait_for_each_others_connections()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var user = Guid.CreateVersion7();
        for (var i = 0; i < 20; i++)
            await RecordAsync(await TenantAsync(), user, new Made { Asked = "the same needle" });
        await CaughtUpAsync();

        // More than the pool has connections.
        var pages = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(_ => administrator.GetJsonAsync($"/api/inferences?userId={user}&text=needle&limit=50"))
        );

        Assert.All(pages, page => Assert.Equal(20, page["data"]!.AsArray().Count));
    }

    [Fact]
    public async Task A_call_with_a_name_that_is_no_Unicode_is_listed_and_those_behind_it_too()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var caller = host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));
        var marker = $"odd:{Guid.NewGuid():N}";
        foreach (var name in new[] { "\\ud800", "plain" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
            {
                Content = new StringContent(
                    $$$"""{"model":"simulator","{{{name}}}":1,"messages":[{"role":"user","{{{name}}}":2,"content":"a needle"}]}""",
                    System.Text.Encoding.UTF8,
                    "application/json"
                ),
            };
            request.Headers.Add("x-client-request-id", marker);
            using var answer = await caller.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await CaughtUpAsync();

        Assert.Equal(2, (await AllAsync(administrator, $"clientRequestId={marker}&text=needle", limit: 10)).Count);
        Assert.False(
            await QueryAsync<bool>(
                "select exists (select from platform.dead_letters where subscription like 'gateway.%')"
            )
        );
    }

    [Fact]
    public async Task People_see_their_own_calls_and_those_who_read_everything_see_all()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var user = await host.AsNewAsync("user", Cancellation);
        using var other = await host.AsNewAsync("user", Cancellation);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        using var viewer = await host.AsNewAsync("viewer", Cancellation);
        var tenant = await TenantAsync();
        var mine = await RecordAsync(tenant, await WhoAsync(user), new Made { Asked = "mine" });
        var theirs = await RecordAsync(
            tenant,
            await WhoAsync(other),
            new Made { Asked = "theirs", ClientRequestId = "x:1" }
        );
        var foreign = await RecordAsync(Guid.CreateVersion7(), await WhoAsync(user), new Made { Asked = "foreign" });
        await CaughtUpAsync();

        Assert.Equal([mine], (await AllAsync(user, "", limit: 200)).Select(IdOf));
        Assert.Equal([theirs], (await AllAsync(other, "", limit: 200)).Select(IdOf));
        foreach (
            var query in new[]
            {
                $"userId={await WhoAsync(other)}",
                "clientRequestId=x:1",
                "text=theirs",
                "text=foreign",
            }
        )
            Assert.Empty(await AllAsync(user, query, limit: 200));
        foreach (var reader in new[] { administrator, auditor })
        {
            var seen = (await AllAsync(reader, "", limit: 200)).Select(IdOf).ToList();
            Assert.Contains(mine, seen);
            Assert.Contains(theirs, seen);
            Assert.DoesNotContain(foreign, seen);
        }

        await user.GetJsonAsync($"/api/inferences/{mine}");
        await auditor.GetJsonAsync($"/api/inferences/{mine}");
        foreach (
            var (client, id) in new[]
            {
                (user, theirs),
                (user, foreign),
                (administrator, foreign),
                (user, Guid.NewGuid()),
            }
        )
        {
            var problem = await client.GetJsonAsync($"/api/inferences/{id}", HttpStatusCode.NotFound);
            Assert.Equal("gateway.inference-not-found", problem["code"]!.GetValue<string>());
        }
        await viewer.GetJsonAsync("/api/inferences", HttpStatusCode.Forbidden);
        // A stream of another kind is no call, whoever asks.
        await administrator.GetJsonAsync($"/api/inferences/{await WhoAsync(user)}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Every_wrong_field_is_named_at_once()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        var problem = await administrator.GetJsonAsync(
            "/api/inferences?apiKeyId=x&userId=y&projectId=z&status=done&stream=perhaps&from=now&to=2026&minCost=-1&maxCost=much&minLatencyMs=1s&model=&text=&limit=0",
            HttpStatusCode.BadRequest
        );

        Assert.Equal(
            [
                "apiKeyId",
                "from",
                "limit",
                "maxCost",
                "minCost",
                "minLatencyMs",
                "model",
                "projectId",
                "status",
                "stream",
                "text",
                "to",
                "userId",
            ],
            problem["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal)
        );
        foreach (
            var (query, field) in new[]
            {
                ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
                ("minCost=2&maxCost=1", "maxCost"),
                ("text=%3F!", "text"),
            }
        )
        {
            var wrong = await administrator.GetJsonAsync($"/api/inferences?{query}", HttpStatusCode.BadRequest);
            Assert.Equal([field], wrong["errors"]!.AsObject().Select(e => e.Key));
        }
        await administrator.GetJsonAsync("/api/inferences?cursor=abc", HttpStatusCode.BadRequest);
        await administrator.GetJsonAsync($"/api/inferences/{Guid.NewGuid()}?bodies=no", HttpStatusCode.BadRequest);
        // What Postgres could not take in a text finds nothing.
        Assert.Empty(await AllAsync(administrator, "model=%00&error=%00", limit: 10));
    }

    [Fact]
    public async Task Nothing_that_was_said_stands_in_the_table_and_what_was_erased_is_not_found()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"{Guid.NewGuid():N}@example.org";
        var created = await administrator.PostJsonAsync("/api/users", new { email, role = "user" });
        var user = created["id"]!.GetValue<Guid>();
        var word = $"canary{Guid.NewGuid():N}";
        var tenant = await TenantAsync();
        var id = await RecordAsync(tenant, user, new Made { Asked = $"the {word}", Answered = $"a {word}" });
        await CaughtUpAsync();
        Assert.Equal([id], (await AllAsync(administrator, $"text={word}", limit: 10)).Select(IdOf));
        Assert.True(await QueryAsync<bool>($"select words is not null from gateway.inferences where id = '{id}'"));
        Assert.False(
            await QueryAsync<bool>($"select exists (select from gateway.inferences i where i::text like '%{word}%')")
        );

        await administrator.PostJsonAsync("/api/audit/erasures", new { subjectId = user });

        // At once, although the table is built anew only behind it.
        Assert.Empty(await AllAsync(administrator, $"text={word}", limit: 10));
        await Eventually.UntilAsync(() =>
            QueryAsync<bool>($"select exists (select from gateway.inferences where id = '{id}' and words is null)")
        );
        var row = Assert.Single(await AllAsync(administrator, $"userId={user}", limit: 10));
        Assert.Equal("gpt-a", row["model"]!.GetValue<string>());
        var call = await administrator.GetJsonAsync($"/api/inferences/{id}");
        Assert.Equal("[erased]", call["request"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_projection_that_is_built_anew_has_the_same_rows()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var user = Guid.CreateVersion7();
        // Some of one transaction, some whose outcome comes later, on an instance that was taken for dead too.
        var late = await RecordAsync(
            await TenantAsync(),
            user,
            new Made
            {
                IsLost = true,
                Asked = "one",
                Answered = "two",
            }
        );
        for (var i = 0; i < 20; i++)
            await RecordAsync(await TenantAsync(), user, new Made { Cost = i, Error = i % 3 == 0 ? "x" : null });
        await CaughtUpAsync();
        await EndAsync(await TenantAsync(), late, version: 2, new Made { Answered = "two" });
        await CaughtUpAsync();
        const string Rows = "select md5(string_agg(i::text, '|' order by tenant_id, id)) from gateway.inferences i";
        var before = await QueryAsync<string>(Rows);
        var build = await QueryAsync<int>(
            "select live_build from platform.projections where name = 'gateway.inferences'"
        );

        await administrator.PostJsonAsync(
            "/api/admin/subscriptions/gateway.inferences/rebuild",
            body: null,
            HttpStatusCode.Accepted
        );
        await Eventually.UntilAsync(async () =>
            await QueryAsync<int>("select live_build from platform.projections where name = 'gateway.inferences'")
            > build
        );

        Assert.Equal(before, await QueryAsync<string>(Rows));
        var row = (await AllAsync(administrator, $"userId={user}&text=one%20two", limit: 200)).Single();
        Assert.Equal("completed", row["status"]!.GetValue<string>());
    }

    private async Task<Guid> RecordAsync(Guid tenant, Guid user, Made made)
    {
        var id = host.Services.GetRequiredService<IdSource>().New();
        var store = host.Services.GetRequiredService<EventStore>();
        await store.AppendAsync(
            ContextOf(tenant, user, made),
            new StreamEvents(
                "inference",
                id,
                0,
                [
                    new InferenceStarted(
                        made.Wire,
                        made.Model,
                        made.Deployment,
                        made.Provider,
                        made.Stream,
                        user,
                        made.Project,
                        Guid.CreateVersion7(),
                        made.ClientRequestId,
                        RecordingLevel.Full,
                        RequestDigest: null,
                        Json(
                            new { model = made.Model, messages = new[] { new { role = "user", content = made.Asked } } }
                        )
                    ),
                ]
            ),
            Cancellation
        );
        if (made.IsLost)
            await store.AppendAsync(
                ContextOf(tenant, user, made),
                new StreamEvents("inference", id, 1, [new InferenceOutcomeLost(Guid.CreateVersion7())]),
                Cancellation
            );
        else if (!made.IsOpen)
            await EndAsync(tenant, id, version: 1, made, user);
        return id;
    }

    private async Task EndAsync(Guid tenant, Guid id, long version, Made made, Guid? user = null)
    {
        var response = Json(new { choices = new[] { new { message = new { content = made.Answered } } } });
        Attempt[] attempts =
        [
            new(1, made.Deployment == "west" ? "east" : "none", made.Provider, 503, "req-1", 1, "upstream-status"),
            new(2, made.Deployment, made.Provider, 200, "req-2", 2, Failure: null),
        ];
        var usage = new Usage(7, 5, 12, 3, 2, 1, Estimated: true);
        var latency = new Latency(1.5, made.Latency);
        IEvent outcome =
            made.Error is { } code
                ? new InferenceFailed(
                    new InferenceError(code, 502, "It failed."),
                    attempts,
                    usage,
                    made.Cost,
                    latency,
                    null,
                    response
                )
            : made.IsCancelled ? new InferenceCancelled(attempts, usage, made.Cost, latency, null, response)
            : new InferenceCompleted(attempts, usage, made.Cost, latency, null, response);
        await host
            .Services.GetRequiredService<EventStore>()
            .AppendAsync(
                ContextOf(tenant, user ?? Guid.CreateVersion7(), made),
                new StreamEvents("inference", id, version, [outcome]),
                Cancellation
            );
    }

    private static AppendContext ContextOf(Guid tenant, Guid user, Made made) =>
        new(tenant, made.ApiKey is { } key ? $"api-key:{key}" : $"user:{user}", "") { Subject = user };

    private static RawJson Json(object value) => new(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value));

    // The projection has handled everything that is in the log now.
    private async Task CaughtUpAsync()
    {
        var head = await host.Services.GetRequiredService<EventStore>().ReadHeadAsync(Cancellation);
        await Eventually.UntilAsync(() =>
            QueryAsync<bool>(
                $"""
                select exists (select from platform.projections p join platform.subscription_positions s
                    on s.name = p.name || '.' || p.live_build where p.name = 'gateway.inferences' and s.position >= {head})
                """
            )
        );
    }

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task<List<JsonNode>> AllAsync(HttpClient client, string query, int limit)
    {
        var rows = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = await client.GetJsonAsync($"/api/inferences?{query}&limit={limit}{cursor}");
            rows.AddRange(page["data"]!.AsArray().Select(r => r!));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next.GetValue<string>()}" : null;
        } while (cursor is not null);
        return rows;
    }

    private static Guid IdOf(JsonNode row) => row["id"]!.GetValue<Guid>();

    private static async Task<Guid> WhoAsync(HttpClient client) =>
        (await client.GetJsonAsync("/api/me"))["userId"]!.GetValue<Guid>();

    private async Task<Guid> TenantAsync()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        return (await administrator.GetJsonAsync("/api/me"))["organizationId"]!.GetValue<Guid>();
    }
}
