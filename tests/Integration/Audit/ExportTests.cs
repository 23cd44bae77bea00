using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Evidence;
using Verbatim.Modules.Audit.Exports;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>Exports of chosen events, over HTTP and by the operator's command, checked by the offline verifier.</summary>
public sealed class ExportTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private const string Route = "/api/audit/export";

    private EventStore Store => host.Services.GetRequiredService<EventStore>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_organization_s_events_come_with_proofs_and_nobody_else_s_come_at_all()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var own = await OrganizationAsync();
        var (mine, theirs) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await AppendAsync(own, mine, 3);
        await AppendAsync(Guid.CreateVersion7(), theirs, 3);
        await AppendAsync(own, mine, 2, from: 3);
        await host.SealAsync(Cancellation);

        var export = await ExportAsync(auditor, "");

        Assert.Null(export.Report.Problem);
        Assert.Equal(await CountAsync(own, export.Report.Selection!.TreeSize), export.Report.Selection.Events);
        Assert.All(export.Events, e => Assert.Equal(own.ToString(), e["tenantId"]!.GetValue<string>()));
        Assert.Equal(5, export.Events.Count(e => e["streamId"]!.GetValue<Guid>() == mine));
        Assert.DoesNotContain(theirs.ToString(), export.Text, StringComparison.Ordinal);
        Assert.Equal(export.Report.Selection.TreeSize, export.End["end"]!.GetValue<long>());
        Assert.False(export.End["hasMore"]!.GetValue<bool>());
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await auditor.GetAsync($"{Route}?streamId={theirs}", Cancellation)).StatusCode
        );
    }

    [Fact]
    public async Task An_export_is_proven_by_another_language_s_verifier_too()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var own = await OrganizationAsync();
        // Others' events between them, so that the paths of neighbours meet at all heights.
        for (var i = 0; i < 40; i++)
            await AppendAsync(i % 3 == 0 ? own : Guid.CreateVersion7(), Guid.CreateVersion7(), 1 + i % 4);
        await host.SealAsync(Cancellation);
        var export = await ExportAsync(auditor, "");
        var key = (await KeyAsync(auditor)).ToString();

        var sound = await NodeAsync(export.Text);
        var changed = await NodeAsync(export.Text.Replace("system:test", "system:tset", StringComparison.Ordinal));

        Assert.Equal($"proven {export.Events.Count}", sound);
        Assert.Contains("does not have its leaf hash", changed, StringComparison.Ordinal);

        async Task<string> NodeAsync(string selection)
        {
            using var node = Process.Start(
                new ProcessStartInfo("node", ["evidence.mjs"])
                {
                    WorkingDirectory = Path.Combine(Repository.Root, "tests", "Integration", "Clients"),
                    UseShellExecute = false,
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            var output = node.StandardOutput.ReadToEndAsync(Cancellation);
            var errors = node.StandardError.ReadToEndAsync(Cancellation);
            await node.StandardInput.WriteAsync(
                new JsonObject { ["selection"] = selection, ["publicKey"] = key }.ToJsonString()
            );
            node.StandardInput.Close();
            await node.WaitForExitAsync(Cancellation);
            return node.ExitCode == 0 ? (await output).Trim() : await errors;
        }
    }

    [Fact]
    public async Task Filters_hold_together()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var own = await OrganizationAsync();
        var (counter, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await AppendAsync(own, counter, 2, type: "export-counter");
        await AppendAsync(own, other, 2, type: "export-counter");
        await AppendAsync(own, counter, 2, from: 2, type: "export-counter");
        await host.SealAsync(Cancellation);
        var events = (await ExportAsync(auditor, $"?streamId={counter}")).Events;
        var third = events[2]["time"]!.GetValue<string>();

        Assert.Equal([1, 2, 3, 4], Versions(events));
        Assert.Equal([1, 2, 1, 2, 3, 4], Versions((await ExportAsync(auditor, "?streamType=export-counter")).Events));
        Assert.Equal([3, 4], Versions((await ExportAsync(auditor, $"?streamType=export-counter&from={third}")).Events));
        Assert.Equal(
            [1, 2, 1, 2],
            Versions((await ExportAsync(auditor, $"?streamType=export-counter&to={third}")).Events)
        );
        Assert.Equal([1, 2], Versions((await ExportAsync(auditor, $"?streamId={counter}&to={third}")).Events));
        Assert.Empty((await ExportAsync(auditor, $"?streamId={counter}&streamType=inference")).Events);
        Assert.Empty((await ExportAsync(auditor, $"?streamId={counter}&type=identity.user-created")).Events);
        var types = (
            await ExportAsync(auditor, "?type=identity.user-created&type=identity.organization-created")
        ).Events;
        Assert.Equal(
            ["identity.organization-created", "identity.user-created"],
            types
                .Select(e => e["type"]!.GetValue<string>())
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
        );
        var whole = (await ExportAsync(auditor, $"?streamId={counter}")).Report.Selection!;
        Assert.Equal((1, 1), (whole.Streams, whole.WholeStreams));
        Assert.Equal(
            0,
            (await ExportAsync(auditor, $"?streamId={counter}&from={third}")).Report.Selection!.WholeStreams
        );

        static IEnumerable<int> Versions(IEnumerable<JsonNode> events) =>
            events.Select(e => e["version"]!.GetValue<int>());
    }

    [Fact]
    public async Task An_export_goes_on_where_the_one_before_ended_or_was_interrupted()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var own = await OrganizationAsync();
        var stream = Guid.CreateVersion7();
        await AppendAsync(own, stream, 7, type: "export-resumed");
        await host.SealAsync(Cancellation);
        foreach (var filter in (string[])["streamType=export-resumed", $"streamId={stream}"])
        {
            var versions = new List<int>();
            var after = 0L;
            for (var hasMore = true; hasMore; )
            {
                var part = await ExportAsync(auditor, $"?{filter}&limit=3&after={after}");
                Assert.Null(part.Report.Problem);
                versions.AddRange(part.Events.Select(e => e["version"]!.GetValue<int>()));
                hasMore = part.End["hasMore"]!.GetValue<bool>();
                after = part.End["end"]!.GetValue<long>();
            }
            Assert.Equal([1, 2, 3, 4, 5, 6, 7], versions);

            var whole = await ExportAsync(auditor, $"?{filter}");
            var rest = await ExportAsync(auditor, $"?{filter}&after={whole.Events[3]["position"]}");
            Assert.Equal([5, 6, 7], rest.Events.Select(e => e["version"]!.GetValue<int>()));
            var none = await ExportAsync(auditor, $"?{filter}&after={whole.End["end"]}");
            Assert.Empty(none.Events);
        }
    }

    [Fact]
    public async Task An_export_is_on_record_before_its_first_byte()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        await host.SealAsync(Cancellation);
        var me = (await auditor.GetFromJsonAsync<JsonNode>("/api/me", Cancellation))!;

        using var response = await auditor.GetAsync(
            $"{Route}?type=identity.user-created&limit=1",
            HttpCompletionOption.ResponseHeadersRead,
            Cancellation
        );
        var id = response.Headers.GetValues(ExportEvents.ExportIdHeader).Single();
        var recorded = await Store
            .ReadStreamAsync(await OrganizationAsync(), Guid.Parse(id), 1, Cancellation)
            .SingleAsync(Cancellation);

        Assert.Equal(("audit.export-started", me["actor"]!.GetValue<string>()), (recorded.Type, recorded.Actor));
        var data = JsonNode.Parse(recorded.Data.Span)!;
        Assert.Equal("""{"types":["identity.user-created"],"limit":1}""", data["events"]!.ToJsonString());
        Assert.Equal(0, data["after"]!.GetValue<long>());
        var state = await auditor.GetFromJsonAsync<JsonNode>($"/api/audit/streams/{id}/state", Cancellation);
        Assert.Equal("export", state!["streamType"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_export_is_compressed_for_those_who_ask_for_it()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        await host.SealAsync(Cancellation);

        using var plain = await SendAsync(null);
        using var compressed = await SendAsync("br, gzip;q=0.5");
        using var refused = await SendAsync("gzip;q=0, identity");

        Assert.Empty(plain.Content.Headers.ContentEncoding);
        Assert.Empty(refused.Content.Headers.ContentEncoding);
        Assert.Equal(["gzip"], compressed.Content.Headers.ContentEncoding);
        Assert.Equal("application/x-ndjson", compressed.Content.Headers.ContentType!.MediaType);
        Assert.Contains("Accept-Encoding", compressed.Headers.Vary);
        await using var unpacked = new GZipStream(
            await compressed.Content.ReadAsStreamAsync(Cancellation),
            CompressionMode.Decompress
        );
        Assert.Null(
            (await new ExportVerifier([await KeyAsync(auditor)], []).VerifyAsync(unpacked, Cancellation)).Problem
        );

        async Task<HttpResponseMessage> SendAsync(string? encodings)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Route);
            if (encodings is not null)
                request.Headers.TryAddWithoutValidation("Accept-Encoding", encodings);
            return await auditor.SendAsync(request, Cancellation);
        }
    }

    [Fact]
    public async Task Pages_of_many_and_of_large_events_fit_together()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var own = await OrganizationAsync();
        await AppendAsync(own, Guid.CreateVersion7(), 1200, type: "export-many");
        var large = Guid.CreateVersion7();
        for (var version = 0; version < 4; version++)
            await AppendAsync(own, large, "export-many", version, [Started($"\"{new string('x', 3 << 20)}\"")]);
        await host.SealAsync(Cancellation);

        var export = await ExportAsync(auditor, "?streamType=export-many");

        Assert.Null(export.Report.Problem);
        Assert.Equal(
            (1204, 2, 2),
            (export.Report.Selection!.Events, export.Report.Selection.Streams, export.Report.Selection.WholeStreams)
        );
    }

    [Fact]
    public async Task A_reader_who_does_not_read_holds_a_page_and_no_connection_and_one_who_leaves_ends_it()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var organization = (await administrator.GetFromJsonAsync<JsonNode>("/api/me", Cancellation))![
            "organizationId"
        ]!.GetValue<Guid>();
        var store = own.Services.GetRequiredService<EventStore>();
        for (var version = 0; version < 12; version++)
            await store.AppendAsync(
                new AppendContext(organization, "system:test", ""),
                new StreamEvents("large", Guid.CreateVersion7(), 0, [Started($"\"{new string('x', 2 << 20)}\"")]),
                Cancellation
            );
        await own.SealAsync(Cancellation);
        var export = own.Services.GetRequiredService<SelectionExport>();
        var checkpoint = (await export.FindCheckpointAsync(Cancellation))!;
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var (written, isReading) = (0L, new TaskCompletionSource());
        var isWritten = new SemaphoreSlim(0);

        var writing = export.WriteAsync(
            checkpoint,
            new ExportedEvents(null, "large", null, null, null, null),
            organization,
            after: 0,
            async lines =>
            {
                written += lines.Length;
                isWritten.Release();
                await (written < 1 << 20 ? Task.CompletedTask : isReading.Task);
            },
            leaving.Token
        );
        // The begin, and the first of the large events.
        await isWritten.WaitAsync(Cancellation);
        await isWritten.WaitAsync(Cancellation);

        var database = own.Services.GetRequiredService<Database>();
        await using (
            var busy = database.Writes.CreateCommand(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
                    and state <> 'idle' and query like '%bytes_before%'
                """
            )
        )
            Assert.Equal(0L, await busy.ExecuteScalarAsync(Cancellation));
        Assert.InRange(written, 1, 3 << 20);
        await leaving.CancelAsync();
        isReading.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.InRange(written, 1, 3 << 20);
    }

    [Fact]
    public async Task Wrong_filters_are_answered_with_what_is_right()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        await host.SealAsync(Cancellation);

        var wrong = await ProblemAsync(
            "?from=yesterday&to=x&after=-1&limit=0&streamId=7&streamType=",
            400,
            "validation-failed"
        );
        Assert.Equal(
            ["after", "from", "limit", "streamId", "streamType", "to"],
            wrong["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal)
        );
        await ProblemAsync("?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400, "validation-failed");
        var unknown = await ProblemAsync(
            "?type=identity.user-created&type=identity.user-made",
            400,
            "audit.unknown-event-type"
        );
        Assert.Contains("identity.user-made", unknown["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        await ProblemAsync($"?streamId={Guid.NewGuid()}", 404, "audit.stream-not-found");
        await ProblemAsync("?after=999999999", 404, "audit.tree-too-small");
        using var anyone = host.AsAnyone();
        using var key = host.As(await host.CreateApiKeyAsync([Scopes.InferencesCreate], Cancellation));
        Assert.Equal(HttpStatusCode.Unauthorized, (await anyone.GetAsync(Route, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await key.GetAsync(Route, Cancellation)).StatusCode);

        async Task<JsonNode> ProblemAsync(string query, int status, string code)
        {
            using var response = await auditor.GetAsync(Route + query, Cancellation);
            var problem = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
            Assert.Equal((status, code), ((int)response.StatusCode, problem["code"]!.GetValue<string>()));
            return problem;
        }
    }

    [Fact]
    public async Task While_nothing_is_signed_that_is_said()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var database = own.Services.GetRequiredService<Database>();
        // Whoever holds the tree's row keeps the sealer from signing.
        await using var signing = await database.Dedicated.OpenConnectionAsync(Cancellation);
        await using var hold = new NpgsqlCommand("begin; select from platform.tree for update", signing);
        await hold.ExecuteNonQueryAsync(Cancellation);
        await using (var delete = database.Writes.CreateCommand("delete from platform.checkpoints"))
            await delete.ExecuteNonQueryAsync(Cancellation);

        using var response = await administrator.GetAsync(Route, Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains(
            "audit.nothing-signed",
            await response.Content.ReadAsStringAsync(Cancellation),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_operator_chooses_in_the_same_way_and_the_verifier_says_what_that_proves()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var (own, other) = (await OrganizationAsync(), Guid.CreateVersion7());
        var stream = Guid.CreateVersion7();
        await AppendAsync(other, stream, 3);
        await AppendAsync(own, Guid.CreateVersion7(), 1);
        await AppendAsync(other, stream, 1, from: 3);
        await host.SealAsync(Cancellation);
        using var folder = new TemporaryHome();
        var key = (await KeyAsync(auditor)).ToString();

        var ofTenant = await RunAsync("--tenant", other.ToString());
        var ofStream = await RunAsync("--stream", stream.ToString());
        var ofType = await RunAsync("--type", "identity.user-created", "--limit", "1");

        foreach (var said in (string[])[ofTenant, ofStream])
        {
            Assert.Contains("Proven: each of the 4 events", said, StringComparison.Ordinal);
            Assert.Contains("does not prove that no event was left out", said, StringComparison.Ordinal);
            Assert.Contains(
                "Of 1 of the 1 streams the versions run without a gap from 1",
                said,
                StringComparison.Ordinal
            );
        }
        Assert.Contains("Proven: each of the 1 events", ofType, StringComparison.Ordinal);
        var export = Command();
        foreach (
            var arguments in (string[][])
                [
                    ["--from", "now"],
                    ["--stream", "1"],
                    ["--limit", "0"],
                    ["--what", "1"],
                    ["--type"],
                    ["--tenant", "x"],
                ]
        )
            await Assert.ThrowsAsync<CommandUsageException>(() =>
                export.RunAsync(arguments, TextWriter.Null, Cancellation)
            );
        Assert.Equal(1, await export.RunAsync(["--stream", Guid.NewGuid().ToString()], TextWriter.Null, Cancellation));

        async Task<string> RunAsync(params string[] arguments)
        {
            var file = folder.File(Guid.NewGuid().ToString("N"));
            await using var text = new StringWriter();
            Assert.Equal(0, await Command().RunAsync([.. arguments, "--output", file], text, Cancellation));
            using var verify = Process.Start(
                new ProcessStartInfo(Path.Combine(Repository.Root, "verify"), [file, "--key", key])
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                }
            )!;
            var said = await verify.StandardOutput.ReadToEndAsync(Cancellation);
            await verify.WaitForExitAsync(Cancellation);
            Assert.Equal(0, verify.ExitCode);
            return said;
        }

        ICommand Command() => host.CommandNamed("export");
    }

    private sealed record Exported(string Text, ExportReport Report, List<JsonNode> Events, JsonNode End);

    private static async Task<Exported> ExportAsync(HttpClient auditor, string query)
    {
        using var response = await auditor.GetAsync(Route + query, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal(new MediaTypeHeaderValue("application/x-ndjson"), response.Content.Headers.ContentType);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var report = await new ExportVerifier([await KeyAsync(auditor)], []).VerifyAsync(stream, Cancellation);
        var lines = text.Split('\n')[..^1].Select(l => JsonNode.Parse(l)!).ToList();
        return new Exported(text, report, lines[1..^1], lines[^1]);
    }

    private static async Task<NoteKey> KeyAsync(HttpClient auditor)
    {
        var keys = (await auditor.GetFromJsonAsync<JsonNode>("/api/audit/checkpoints/keys", Cancellation))!;
        Assert.True(NoteKey.TryParse(keys["data"]![0]!["publicKey"]!.GetValue<string>(), out var key));
        return key;
    }

    private async Task<Guid> OrganizationAsync()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var me = (await administrator.GetFromJsonAsync<JsonNode>("/api/me", Cancellation))!;
        return me["organizationId"]!.GetValue<Guid>();
    }

    private async Task<long> CountAsync(Guid organization, long upTo)
    {
        await using var command = host
            .Services.GetRequiredService<Database>()
            .Writes.CreateCommand("select count(*) from platform.events where tenant_id = $1 and position <= $2");
        command.Parameters.AddWithValue(organization);
        command.Parameters.AddWithValue(upTo);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private Task AppendAsync(Guid organization, Guid stream, int count, long from = 0, string type = "counter") =>
        AppendAsync(
            organization,
            stream,
            type,
            from,
            [.. Enumerable.Range(0, count).Select(_ => new InferenceOutcomeLost(Guid.Empty))]
        );

    private async Task AppendAsync(
        Guid organization,
        Guid stream,
        string type,
        long version,
        IReadOnlyList<IEvent> events
    )
    {
        var result = await Store.AppendAsync(
            new AppendContext(organization, "system:test", ""),
            new StreamEvents(type, stream, version, events),
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
}
