using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>What changed in a stream between two moments, and event by event in words.</summary>
public sealed class StreamChangesTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const string Streams = "/api/audit/streams";

    private EventStore Store => host.Services.GetRequiredService<EventStore>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_moments_are_compared_by_version_and_by_instant()
    {
        var call = await LostCallAsync();
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var stream = await GetAsync(auditor, $"{Streams}/{call}");
        var (began, ended) = (Time(0), Time(1));

        var byVersion = await GetAsync(auditor, $"{Streams}/{call}/diff?from=1&to=2");

        var status = byVersion["changes"]!.AsArray().Single(c => c!["path"]!.GetValue<string>() == "/status")!;
        Assert.Equal(
            ("changed", "started", "unknown"),
            (
                status["kind"]!.GetValue<string>(),
                status["before"]!.GetValue<string>(),
                status["after"]!.GetValue<string>()
            )
        );
        Assert.Equal(
            (1, began),
            (byVersion["from"]!["version"]!.GetValue<int>(), byVersion["from"]!["time"]!.GetValue<string>())
        );
        Assert.Equal(
            (2, ended),
            (byVersion["to"]!["version"]!.GetValue<int>(), byVersion["to"]!["time"]!.GetValue<string>())
        );
        Assert.EndsWith("Z", began, StringComparison.Ordinal);
        foreach (var query in (string[])["from=1", $"from={began}&to={ended}", $"from={began}", $"from=1&to={ended}"])
            Assert.Equal(
                byVersion.ToJsonString(),
                (await GetAsync(auditor, $"{Streams}/{call}/diff?{query}")).ToJsonString()
            );
        Assert.Empty((await GetAsync(auditor, $"{Streams}/{call}/diff?from=2&to=2"))["changes"]!.AsArray());

        string Time(int index) => stream["data"]![index]!["time"]!.GetValue<string>();
    }

    [Fact]
    public async Task Each_event_says_in_words_what_it_changed()
    {
        var call = await LostCallAsync();
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        var first = await GetAsync(auditor, $"{Streams}/{call}/changes?limit=1");
        var second = await GetAsync(auditor, $"{Streams}/{call}/changes?limit=1&cursor={first["nextCursor"]}");

        var began = Assert.Single(first["data"]!.AsArray())!;
        Assert.Contains("model: simulator (new)", SentencesOf(began));
        var lost = Assert.Single(second["data"]!.AsArray())!;
        Assert.Equal(
            (2, "gateway.inference-outcome-lost", "system:test"),
            (lost["version"]!.GetValue<int>(), lost["type"]!.GetValue<string>(), lost["actor"]!.GetValue<string>())
        );
        Assert.StartsWith(
            "status: started → unknown. The instance",
            SentencesOf(lost).First(),
            StringComparison.Ordinal
        );
        Assert.Null(second["nextCursor"]);
        Assert.Null(lost["fault"]);
        Assert.EndsWith("Z", lost["time"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_of_a_later_build_is_named_and_the_versions_before_it_can_be_read()
    {
        var call = await LostCallAsync();
        await using (
            var change = host
                .Services.GetRequiredService<Database>()
                .Writes.CreateCommand(
                    "update platform.events set type = 'gateway.inference-dreamt' where stream_id = $1 and version = 2 returning position"
                )
        )
        {
            change.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = call });
            await change.ExecuteNonQueryAsync(Cancellation);
        }
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var position = (await GetAsync(auditor, $"{Streams}/{call}"))["data"]![1]!["position"]!.GetValue<long>();

        var changes = (await GetAsync(auditor, $"{Streams}/{call}/changes"))["data"]!.AsArray();
        var problem = await ProblemAsync(auditor, $"{Streams}/{call}/diff?from=1", 501, "audit.event-unknown");

        Assert.NotEmpty(SentencesOf(changes[0]!));
        Assert.Empty(SentencesOf(changes[1]!));
        foreach (var said in (string[])[changes[1]!["fault"]!.GetValue<string>(), problem])
        {
            Assert.Contains(
                $"at position {position}: 'gateway.inference-dreamt' version 1",
                said,
                StringComparison.Ordinal
            );
            Assert.Contains("the versions before can be read", said, StringComparison.Ordinal);
        }
        Assert.Empty((await GetAsync(auditor, $"{Streams}/{call}/diff?from=1&to=1"))["changes"]!.AsArray());
    }

    [Fact]
    public async Task An_event_that_does_not_fit_is_told_and_is_not_a_fault_of_the_server()
    {
        var organization = await OrganizationAsync();
        var call = Guid.CreateVersion7();
        await AppendAsync(organization, call, 0, new InferenceOutcomeLost(Guid.Empty));
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        foreach (var route in (string[])["state", "diff?from=1"])
            await ProblemAsync(auditor, $"{Streams}/{call}/{route}", 501, "audit.event-unfit");
    }

    [Fact]
    public async Task Wrong_questions_are_answered_with_what_to_do()
    {
        var call = await LostCallAsync();
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var plain = Guid.CreateVersion7();
        await AppendAsync(await OrganizationAsync(), plain, 0, new InferenceOutcomeLost(Guid.Empty), "counter");
        var theirs = Guid.CreateVersion7();
        await AppendAsync(Guid.CreateVersion7(), theirs, 0, new InferenceOutcomeLost(Guid.Empty));

        await ProblemAsync(auditor, $"{Streams}/{call}/diff", 400, "validation-failed");
        await ProblemAsync(auditor, $"{Streams}/{call}/diff?from=0", 400, "validation-failed");
        await ProblemAsync(auditor, $"{Streams}/{call}/diff?from=1&to=yesterday", 400, "validation-failed");
        await ProblemAsync(auditor, $"{Streams}/{call}/diff?from=2&to=1", 400, "audit.wrong-order");
        await ProblemAsync(
            auditor,
            $"{Streams}/{call}/diff?from=2099-01-02T00:00:00Z&to=2099-01-01T00:00:00Z",
            400,
            "audit.wrong-order"
        );
        await ProblemAsync(auditor, $"{Streams}/{call}/diff?from=1&to=3", 404, "audit.version-not-found");
        await ProblemAsync(auditor, $"{Streams}/{call}/diff?from=2001-01-01T00:00:00Z", 404, "audit.stream-not-begun");
        await ProblemAsync(auditor, $"{Streams}/{call}/changes?cursor=nonsense", 400, "invalid-cursor");
        foreach (var route in (string[])["diff?from=1", "changes"])
        {
            await ProblemAsync(auditor, $"{Streams}/{plain}/{route}", 404, "audit.no-document");
            await ProblemAsync(auditor, $"{Streams}/{theirs}/{route}", 404, "audit.stream-not-found");
            await ProblemAsync(auditor, $"{Streams}/{Guid.NewGuid()}/{route}", 404, "audit.stream-not-found");
        }
        using var user = await host.AsNewAsync("user", Cancellation);
        foreach (var route in (string[])["diff?from=1", "changes"])
            Assert.Equal(
                HttpStatusCode.Forbidden,
                (await user.GetAsync($"{Streams}/{call}/{route}", Cancellation)).StatusCode
            );
    }

    private static IEnumerable<string> SentencesOf(JsonNode change) =>
        change["changes"]!.AsArray().Select(c => c!.GetValue<string>());

    private async Task<Guid> LostCallAsync()
    {
        var (organization, call) = (await OrganizationAsync(), Guid.CreateVersion7());
        await AppendAsync(
            organization,
            call,
            0,
            new InferenceStarted(
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
                new RawJson(Encoding.UTF8.GetBytes("""{"messages":[]}"""))
            )
        );
        await AppendAsync(organization, call, 1, new InferenceOutcomeLost(Guid.Empty));
        return call;
    }

    private async Task AppendAsync(
        Guid organization,
        Guid stream,
        long version,
        IEvent @event,
        string type = "inference"
    )
    {
        var result = await Store.AppendAsync(
            new AppendContext(organization, "system:test", ""),
            new StreamEvents(type, stream, version, [@event]),
            Cancellation
        );
        Assert.Null(result.Conflict);
    }

    private async Task<Guid> OrganizationAsync()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        return (await GetAsync(administrator, "/api/me"))["organizationId"]!.GetValue<Guid>();
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    private static async Task<string> ProblemAsync(HttpClient client, string path, int status, string code)
    {
        using var response = await client.GetAsync(path, Cancellation);
        var problem = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
        Assert.Equal((status, code), ((int)response.StatusCode, problem["code"]!.GetValue<string>()));
        return problem["detail"]?.GetValue<string>() ?? "";
    }
}
