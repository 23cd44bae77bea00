using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>The audit routes over HTTP, on the whole Host.</summary>
public sealed class StreamApiTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const string Streams = "/api/audit/streams";

    private EventStore Store => host.Services.GetRequiredService<EventStore>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_administrators_and_auditors_get_in()
    {
        string[] routes = [Streams, $"{Streams}/{Guid.NewGuid()}", $"{Streams}/{Guid.NewGuid()}/state"];
        using var anyone = host.AsAnyone();
        using var user = await host.AsNewAsync("user", Cancellation);
        using var viewer = await host.AsNewAsync("viewer", Cancellation);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var key = host.As(await host.CreateApiKeyAsync([Scopes.InferencesCreate], Cancellation));

        foreach (var route in routes)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(anyone, route));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(user, route));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(viewer, route));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(key, route));
            var expected = route == Streams ? HttpStatusCode.OK : HttpStatusCode.NotFound;
            Assert.Equal(expected, await StatusAsync(auditor, route));
            Assert.Equal(expected, await StatusAsync(administrator, route));
        }
    }

    [Fact]
    public async Task A_call_of_a_model_can_be_found_and_read()
    {
        using var caller = host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));
        var me = await GetAsync(caller, "/api/me");
        const string Body = """{"model":"simulator", "messages":[{"role":"user","content":"Gr\u00fc\u00df dich"}]}""";
        using var content = new StringContent(Body, Encoding.UTF8, "application/json");
        using var answer = await caller.PostAsync("/v1/chat/completions", content, Cancellation);
        var id = answer.Headers.GetValues("x-verbatim-inference-id").Single();
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var list = await GetAsync(auditor, $"{Streams}?type=inference&actor={me["actor"]}");
        var stream = await GetAsync(auditor, $"{Streams}/{id}");
        var before = await GetAsync(auditor, $"{Streams}/{id}/state?version=1");
        var now = await GetAsync(auditor, $"{Streams}/{id}/state");

        var row = Assert.Single(list["data"]!.AsArray())!;
        Assert.Equal(id, row["streamId"]!.GetValue<string>());
        Assert.Equal(2, row["version"]!.GetValue<int>());
        Assert.Equal("gateway.inference-completed", row["lastEventType"]!.GetValue<string>());
        Assert.Equal(
            ["gateway.inference-started", "gateway.inference-completed"],
            stream["data"]!.AsArray().Select(e => e!["type"]!.GetValue<string>())
        );
        Assert.Equal(
            answer.Headers.GetValues("x-request-id").Single(),
            stream["data"]![0]!["correlation"]!.GetValue<string>()
        );
        Assert.Equal("started", before["state"]!["status"]!.GetValue<string>());
        Assert.Equal("completed", now["state"]!["status"]!.GetValue<string>());
        Assert.Equal(stream["data"]![1]!["time"]!.GetValue<string>(), now["time"]!.GetValue<string>());
        Assert.Contains(Body, await auditor.GetStringAsync($"{Streams}/{id}", Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_is_answered_byte_by_byte_as_it_is_stored()
    {
        const string Request = "{ \"a\" : [1.50, 1e3,\t\"\\u00e9\\/é\" ],\n \"a\":null}";
        var id = await StartAsync(await OrganizationAsync(), Request);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var opened = await auditor.GetByteArrayAsync($"{Streams}/{id}", Cancellation);
        var bytes = await auditor.GetByteArrayAsync($"{Streams}/{id}?sealed=true", Cancellation);
        var stored = await Store
            .ReadStreamAsync(await OrganizationAsync(), id, 1, Cancellation)
            .SingleAsync(Cancellation);

        Assert.True(opened.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"request\":{Request}")) > 0);
        Assert.True(bytes.AsSpan().IndexOf(stored.Data.Span) > 0);
        Assert.Equal(
            Convert.ToHexStringLower(stored.HashLeaf()),
            JsonNode.Parse(Encoding.UTF8.GetString(bytes).Replace("\n", "", StringComparison.Ordinal))!["data"]![0]![
                "leafHash"
            ]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task Events_come_in_pages_by_version()
    {
        var (organization, stream) = (await OrganizationAsync(), Guid.CreateVersion7());
        await AppendAsync(organization, stream, "counter", 5);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var pages = new List<string>();
        string? cursor = null;
        do
        {
            var query = cursor is null ? "?limit=2&fromVersion=2" : $"?limit=2&fromVersion=2&cursor={cursor}";
            using var response = await auditor.GetAsync($"{Streams}/{stream}{query}", Cancellation);
            Assert.Equal("\"5\"", response.Headers.ETag!.ToString());
            var page = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
            Assert.Equal(("counter", 5), (page["streamType"]!.GetValue<string>(), page["version"]!.GetValue<int>()));
            pages.Add(string.Join(",", page["data"]!.AsArray().Select(e => e!["version"]!.GetValue<int>())));
            cursor = page["nextCursor"]?.GetValue<string>();
        } while (cursor is not null);
        var beyond = await GetAsync(auditor, $"{Streams}/{stream}?fromVersion=6");

        Assert.Equal(["2,3", "4,5"], pages);
        Assert.Empty(beyond["data"]!.AsArray());
        Assert.Null(beyond["nextCursor"]);
    }

    [Fact]
    public async Task A_page_of_large_events_ends_early_but_never_empty()
    {
        var (organization, stream) = (await OrganizationAsync(), Guid.CreateVersion7());
        foreach (var (version, megabytes) in new[] { (0, 3), (1, 2), (2, 9), (3, 1) })
            await AppendAsync(organization, stream, "big", version, Started($"\"{new string('x', megabytes << 20)}\""));
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var pages = new List<string>();
        string? cursor = null;
        do
        {
            var page = await GetAsync(auditor, $"{Streams}/{stream}{(cursor is null ? "" : $"?cursor={cursor}")}");
            pages.Add(string.Join(",", page["data"]!.AsArray().Select(e => e!["version"]!.GetValue<int>())));
            cursor = page["nextCursor"]?.GetValue<string>();
        } while (cursor is not null);

        Assert.Equal(["1,2", "3", "4"], pages);
    }

    [Fact]
    public async Task Every_wrong_field_is_named()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        Assert.Equal(
            ["actor", "from", "limit", "to", "type"],
            await WrongFieldsAsync(
                auditor,
                $"{Streams}?type=&actor={new string('a', 101)}&from=yesterday&to=2026-01-31&limit=201"
            )
        );
        Assert.Equal(["limit"], await WrongFieldsAsync(auditor, $"{Streams}?limit=many"));
        Assert.Equal(
            ["to"],
            await WrongFieldsAsync(auditor, $"{Streams}?from=2026-01-31T12:00:00Z&to=2026-01-31T13:00:00%2B01:00")
        );
        Assert.Equal(
            ["fromVersion", "limit"],
            await WrongFieldsAsync(auditor, $"{Streams}/{Guid.NewGuid()}?fromVersion=0&limit=0")
        );
        Assert.Equal(
            ["at", "version"],
            await WrongFieldsAsync(auditor, $"{Streams}/{Guid.NewGuid()}/state?version=-1&at=now")
        );
        Assert.Equal(
            ["at", "version"],
            await WrongFieldsAsync(auditor, $"{Streams}/{Guid.NewGuid()}/state?version=1&at=2026-01-31T12:00:00Z")
        );
    }

    [Fact]
    public async Task A_cursor_of_another_list_is_refused()
    {
        var organization = await OrganizationAsync();
        await StartAsync(organization, "{}");
        await StartAsync(organization, "{}");
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var cursor = (await GetAsync(auditor, $"{Streams}?type=inference&limit=1"))["nextCursor"]!.GetValue<string>();

        Assert.Equal(
            "invalid-cursor",
            await ProblemAsync(auditor, $"{Streams}?type=user&cursor={cursor}", HttpStatusCode.BadRequest)
        );
        Assert.Equal(
            "invalid-cursor",
            await ProblemAsync(auditor, $"{Streams}?cursor=nonsense", HttpStatusCode.BadRequest)
        );
        Assert.Equal(
            "invalid-cursor",
            await ProblemAsync(auditor, $"{Streams}/{Guid.NewGuid()}?cursor={cursor}", HttpStatusCode.BadRequest)
        );
    }

    [Fact]
    public async Task Another_organizations_stream_is_as_if_it_were_not()
    {
        var theirs = await StartAsync(Guid.CreateVersion7(), "{}");
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        foreach (var suffix in new[] { "", "/state", "/state?version=1" })
        {
            var ofTheirs = await ProblemTextAsync(auditor, $"{Streams}/{theirs}{suffix}");
            var ofNone = await ProblemTextAsync(auditor, $"{Streams}/{Guid.NewGuid()}{suffix}");
            Assert.Contains("audit.stream-not-found", ofTheirs, StringComparison.Ordinal);
            Assert.Equal(ofNone, ofTheirs);
        }
        var all = await auditor.GetStringAsync($"{Streams}?limit=200", Cancellation);
        Assert.DoesNotContain(theirs.ToString(), all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_moment_at_which_there_is_no_state_is_told_as_such()
    {
        var organization = await OrganizationAsync();
        var call = await StartAsync(organization, "{}");
        var counter = Guid.CreateVersion7();
        await AppendAsync(organization, counter, "counter", 1);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        Assert.Equal(
            "audit.version-not-found",
            await ProblemAsync(auditor, $"{Streams}/{call}/state?version=2", HttpStatusCode.NotFound)
        );
        Assert.Equal(
            "audit.stream-not-begun",
            await ProblemAsync(auditor, $"{Streams}/{call}/state?at=2001-01-01T00:00:00Z", HttpStatusCode.NotFound)
        );
        Assert.Equal(
            "audit.no-document",
            await ProblemAsync(auditor, $"{Streams}/{counter}/state", HttpStatusCode.NotFound)
        );
    }

    [Fact]
    public async Task The_state_at_an_instant_has_every_event_up_to_it()
    {
        var organization = await OrganizationAsync();
        var id = await StartAsync(organization, "{}");
        await AppendAsync(organization, id, "inference", 1, new InferenceOutcomeLost(Guid.Empty));
        var lost = await Store.ReadStreamAsync(organization, id, 2, Cancellation).SingleAsync(Cancellation);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var at = await GetAsync(auditor, $"{Streams}/{id}/state?at={Time(lost.Time)}");
        var before = await GetAsync(auditor, $"{Streams}/{id}/state?at={Time(lost.Time.AddMicroseconds(-1))}");

        Assert.Equal((2, "unknown"), (at["version"]!.GetValue<int>(), at["state"]!["status"]!.GetValue<string>()));
        Assert.Equal(
            (1, "started"),
            (before["version"]!.GetValue<int>(), before["state"]!["status"]!.GetValue<string>())
        );
    }

    [Fact]
    public async Task An_event_of_a_later_build_can_be_read_but_not_folded()
    {
        var organization = await OrganizationAsync();
        var id = await StartAsync(organization, "{}");
        await AppendAsync(organization, id, "inference", 1, new InferenceOutcomeLost(Guid.Empty));
        await ExecuteAsync(
            "update platform.events set type = 'gateway.inference-dreamt' where stream_id = $1 and version = 2",
            id
        );
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var stream = await GetAsync(auditor, $"{Streams}/{id}");
        var before = await GetAsync(auditor, $"{Streams}/{id}/state?version=1");

        Assert.Equal("gateway.inference-dreamt", stream["data"]![1]!["type"]!.GetValue<string>());
        Assert.Equal("started", before["state"]!["status"]!.GetValue<string>());
        Assert.Equal(
            "audit.event-unknown",
            await ProblemAsync(auditor, $"{Streams}/{id}/state", HttpStatusCode.NotImplemented)
        );
    }

    private async Task<Guid> OrganizationAsync()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        return (await GetAsync(administrator, "/api/me"))["organizationId"]!.GetValue<Guid>();
    }

    private async Task<Guid> StartAsync(Guid organization, string request)
    {
        var id = Guid.CreateVersion7();
        await AppendAsync(organization, id, "inference", 0, Started(request));
        return id;
    }

    private async Task AppendAsync(Guid organization, Guid stream, string type, int count)
    {
        for (var version = 0; version < count; version++)
            await AppendAsync(organization, stream, type, version, new InferenceOutcomeLost(Guid.Empty));
    }

    private async Task AppendAsync(Guid organization, Guid stream, string type, long version, IEvent @event)
    {
        var result = await Store.AppendAsync(
            new AppendContext(organization, "system:test", ""),
            new StreamEvents(type, stream, version, [@event]),
            Cancellation
        );
        Assert.Null(result.Conflict);
    }

    private static InferenceStarted Started(string request) =>
        new(
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

    private async Task ExecuteAsync(string sql, Guid stream)
    {
        await using var command = host.Services.GetRequiredService<Database>().Writes.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<JsonNode> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancellation);
        return response.StatusCode;
    }

    private static async Task<IEnumerable<string>> WrongFieldsAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var problem = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
        Assert.Equal("validation-failed", problem["code"]!.GetValue<string>());
        return problem["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal);
    }

    private static async Task<string> ProblemAsync(HttpClient client, string path, HttpStatusCode status)
    {
        using var response = await client.GetAsync(path, Cancellation);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["code"]!.GetValue<string>();
    }

    // Without what differs from request to request.
    private static async Task<string> ProblemTextAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var problem = (await response.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!;
        problem.Remove("requestId");
        problem.Remove("traceId");
        return problem.ToJsonString();
    }
}
