using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Contracts;
using Verbatim.Evidence;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>Checkpoints and proofs over HTTP, checked by code that shares nothing with the product.</summary>
public sealed class ProofTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_is_proven_by_another_language_s_verifier()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var older = await SealedAsync(auditor, 1);
        var (streamId, stream) = await CallAsync(auditor);
        var @event = stream["data"]![1]!;
        var position = @event["position"]!.GetValue<long>();
        var newer = await SealedAsync(auditor, position);
        var size = newer["treeSize"]!.GetValue<long>();
        var inclusion = await GetAsync(auditor, $"proofs/inclusion?position={position}&treeSize={size}");
        var consistency = await GetAsync(auditor, $"proofs/consistency?from={older["treeSize"]}&to={size}");
        var keys = await GetAsync(auditor, "checkpoints/keys");

        var evidence = new JsonObject
        {
            ["publicKey"] = keys["data"]![0]!["publicKey"]!.DeepClone(),
            ["older"] = older["note"]!.DeepClone(),
            ["newer"] = newer["note"]!.DeepClone(),
            ["inclusion"] = inclusion,
            ["consistency"] = consistency,
            ["event"] = EventOf(@event, streamId, stream["streamType"]!.GetValue<string>(), await TenantAsync(auditor)),
        };
        Assert.Equal("proven", await VerifyAsync(evidence));

        var changed = evidence.DeepClone().AsObject();
        changed["event"]!["actor"] = "user:somebody-else";
        Assert.Contains("the event is not in the tree", await VerifyAsync(changed), StringComparison.Ordinal);

        changed = evidence.DeepClone().AsObject();
        changed["consistency"]!["hashes"]![0] = new string('0', 64);
        Assert.DoesNotContain("proven", await VerifyAsync(changed), StringComparison.Ordinal);

        changed = evidence.DeepClone().AsObject();
        changed["newer"] = changed["newer"]!
            .GetValue<string>()
            .Replace($"\n{size}\n", $"\n{size + 1}\n", StringComparison.Ordinal);
        Assert.Contains("the signature is wrong", await VerifyAsync(changed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_checkpoint_is_signed_and_continues_the_one_before()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        await SealedAsync(auditor, 1);
        await CallAsync(auditor);
        var last = await SealedAsync(auditor, await HeadAsync());
        Assert.True(
            NoteKey.TryParse(
                (await GetAsync(auditor, "checkpoints/keys"))["data"]![0]!["publicKey"]!.GetValue<string>(),
                out var key
            )
        );

        var checkpoints = await AllAsync(auditor);

        Assert.True(checkpoints.Count >= 2);
        Assert.Equal(last["treeSize"]!.GetValue<long>(), checkpoints[0].Size);
        foreach (var (newer, older) in checkpoints.Zip(checkpoints.Skip(1)))
        {
            var proof = await GetAsync(auditor, $"proofs/consistency?from={older.Size}&to={newer.Size}");
            byte[][] path = [.. proof["hashes"]!.AsArray().Select(h => Convert.FromHexString(h!.GetValue<string>()))];
            Assert.True(
                MerkleTree.VerifyConsistency(older.Size, newer.Size, older.Root.Span, newer.Root.Span, path),
                $"{older.Size} to {newer.Size}"
            );
        }

        async Task<List<Checkpoint>> AllAsync(HttpClient client)
        {
            var all = new List<Checkpoint>();
            for (string? cursor = null; ; )
            {
                var page = await GetAsync(client, $"checkpoints?limit=1{(cursor is null ? "" : $"&cursor={cursor}")}");
                foreach (var row in page["data"]!.AsArray())
                {
                    Assert.True(
                        Checkpoint.TryOpen(row!["note"]!.GetValue<string>(), [key], out var read, out var why),
                        why
                    );
                    all.Add(read);
                }
                cursor = page["nextCursor"]?.GetValue<string>();
                if (cursor is null)
                    return all;
            }
        }
    }

    [Fact]
    public async Task Wrong_questions_are_answered_with_what_to_do()
    {
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var size = (await SealedAsync(auditor, 1))["treeSize"]!.GetValue<long>();

        await AssertProblemAsync("proofs/inclusion", 400, "validation-failed");
        await AssertProblemAsync("proofs/inclusion?position=0", 400, "validation-failed");
        await AssertProblemAsync("proofs/inclusion?position=x", 400, "validation-failed");
        await AssertProblemAsync("proofs/inclusion?position=999999999", 404, "audit.event-not-found");
        await AssertProblemAsync("proofs/inclusion?position=2&treeSize=1", 400, "audit.not-in-tree");
        await AssertProblemAsync("proofs/inclusion?position=1&treeSize=999999999", 404, "audit.tree-too-small");
        await AssertProblemAsync("proofs/consistency", 400, "validation-failed");
        await AssertProblemAsync($"proofs/consistency?from={size}&to=1", 400, "audit.not-a-continuation");
        await AssertProblemAsync("proofs/consistency?from=1&to=999999999", 404, "audit.tree-too-small");
        await AssertProblemAsync("checkpoints?cursor=nonsense", 400, "invalid-cursor");

        async Task AssertProblemAsync(string route, int status, string code)
        {
            using var response = await auditor.GetAsync(new Uri($"/api/audit/{route}", UriKind.Relative), Cancellation);
            var problem = await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
            Assert.Equal((status, code), ((int)response.StatusCode, problem!["code"]!.GetValue<string>()));
        }
    }

    [Fact]
    public async Task Only_those_who_may_audit_get_proofs()
    {
        using var anyone = host.AsAnyone();
        using var user = await host.AsNewAsync("user", Cancellation);
        foreach (
            var route in (string[])
                ["checkpoints", "checkpoints/keys", "proofs/inclusion?position=1", "proofs/consistency?from=1"]
        )
        {
            using var refused = await anyone.GetAsync(new Uri($"/api/audit/{route}", UriKind.Relative), Cancellation);
            using var forbidden = await user.GetAsync(new Uri($"/api/audit/{route}", UriKind.Relative), Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        }
    }

    [Fact]
    public async Task Nothing_is_signed_over_a_log_that_lost_an_event()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var auditor = await own.AsNewAsync("auditor", Cancellation);
        await SealedAsync(auditor, 1);
        var sealer = own.Services.GetRequiredService<TreeSealer>();
        var database = own.Services.GetRequiredService<Database>();

        await sealer.SealAsync(Cancellation);
        // Someone with the database in their hands removes the newest events.
        await using (var remove = database.Writes.CreateCommand("delete from platform.events where position > 3"))
            await remove.ExecuteNonQueryAsync(Cancellation);

        var e = await Assert.ThrowsAsync<InvalidDataException>(() => sealer.SealAsync(Cancellation));
        Assert.Contains("events were removed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_is_proven_until_somebody_changes_a_row()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var auditor = await own.AsNewAsync("auditor", Cancellation);
        var sealer = own.Services.GetRequiredService<TreeSealer>();
        var database = own.Services.GetRequiredService<Database>();
        await sealer.SealAsync(Cancellation);
        var newest = await SealedAsync(auditor, 1);
        Assert.True(
            NoteKey.TryParse(
                (await GetAsync(auditor, "checkpoints/keys"))["data"]![0]!["publicKey"]!.GetValue<string>(),
                out var key
            )
        );

        var sound = await VerifyExportAsync(own, [key], [], newest["note"]!.GetValue<string>());
        var later = await VerifyExportAsync(own, [key], ["--after", "3"]);
        await using (
            var change = database.Writes.CreateCommand(
                "update platform.events set actor = 'user:somebody-else' where position = 4"
            )
        )
            await change.ExecuteNonQueryAsync(Cancellation);
        var changed = await VerifyExportAsync(own, [key], []);

        Assert.Null(sound.Problem);
        Assert.True(sound.Proven >= newest["treeSize"]!.GetValue<long>());
        Assert.Equal((null, 4), (later.Problem, later.First));
        Assert.Equal(4, changed.Position);
        Assert.Contains("does not have its leaf hash", changed.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_offline_verifier_says_what_it_found_by_its_exit_code()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var auditor = await own.AsNewAsync("auditor", Cancellation);
        await SealedAsync(auditor, 4);
        var key = (await GetAsync(auditor, "checkpoints/keys"))["data"]![0]!["publicKey"]!.GetValue<string>();
        using var folder = new TemporaryHome();
        var (plain, compressed) = (folder.File("log.ndjson"), folder.File("log.ndjson.gz"));
        var export = own.CommandNamed("export");
        foreach (var file in (string[])[plain, compressed])
            Assert.Equal(0, await export.RunAsync(["--output", file], TextWriter.Null, Cancellation));
        await Assert.ThrowsAsync<CommandUsageException>(() =>
            export.RunAsync(["--output", plain], TextWriter.Null, Cancellation)
        );

        Assert.Equal(0, await VerifierAsync(plain, "--key", key));
        Assert.Equal(0, await VerifierAsync(compressed, "--key", key));
        Assert.Equal(2, await VerifierAsync(plain));
        Assert.Equal(2, await VerifierAsync(plain, "--key", "nonsense"));
        Assert.Equal(2, await VerifierAsync(folder.File("nothing"), "--key", key));
        var text = await File.ReadAllTextAsync(plain, Cancellation);
        await File.WriteAllTextAsync(
            plain,
            text.Replace("\"version\":1,", "\"version\":2,", StringComparison.Ordinal),
            Cancellation
        );
        Assert.Equal(1, await VerifierAsync(plain, "--key", key));
    }

    private static async Task<int> VerifierAsync(params string[] arguments)
    {
        using var verify = Process.Start(
            new ProcessStartInfo(Path.Combine(Repository.Root, "verify"), arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        await Task.WhenAll(
            verify.StandardOutput.ReadToEndAsync(Cancellation),
            verify.StandardError.ReadToEndAsync(Cancellation)
        );
        await verify.WaitForExitAsync(Cancellation);
        return verify.ExitCode;
    }

    [Fact]
    public async Task A_new_key_signs_what_comes_and_the_old_one_still_verifies_what_was()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var auditor = await own.AsNewAsync("auditor", Cancellation);
        var before = await SealedAsync(auditor, 1);

        await using var text = new StringWriter();
        var rotate = own.CommandNamed("rotate-checkpoint-key");
        Assert.Equal(0, await rotate.RunAsync([], text, Cancellation));
        using var another = await own.AsNewAsync("auditor", Cancellation);
        var after = await SealedAsync(auditor, before["treeSize"]!.GetValue<long>() + 1);

        var listed = (await GetAsync(auditor, "checkpoints/keys"))["data"]!.AsArray();
        Assert.Equal(2, listed.Count);
        Assert.True(NoteKey.TryParse(listed[0]!["publicKey"]!.GetValue<string>(), out var current));
        Assert.True(NoteKey.TryParse(listed[1]!["publicKey"]!.GetValue<string>(), out var retired));
        Assert.Contains(current.ToString(), text.ToString(), StringComparison.Ordinal);
        Assert.Equal((true, false), (listed[0]!["retiredAt"] is null, listed[1]!["retiredAt"] is null));
        Assert.True(Checkpoint.TryOpen(after["note"]!.GetValue<string>(), [current], out _, out _));
        Assert.False(Checkpoint.TryOpen(after["note"]!.GetValue<string>(), [retired], out _, out _));
        Assert.True(Checkpoint.TryOpen(before["note"]!.GetValue<string>(), [retired], out _, out _));
        Assert.Null((await VerifyExportAsync(own, [current, retired], [])).Problem);
        Assert.NotNull((await VerifyExportAsync(own, [current], [])).Problem);
    }

    private static async Task<ExportReport> VerifyExportAsync(
        VerbatimHost host,
        NoteKey[] keys,
        string[] arguments,
        params string[] kept
    )
    {
        var export = host.CommandNamed("export");
        await using var text = new StringWriter();
        Assert.Equal(0, await export.RunAsync(arguments, text, Cancellation));
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
        return await new ExportVerifier(keys, kept).VerifyAsync(stream, Cancellation);
    }

    private async Task<(string StreamId, JsonNode Stream)> CallAsync(HttpClient auditor)
    {
        using var caller = host.As(await host.CreateApiKeyAsync([Scopes.InferencesCreate], Cancellation));
        using var answer = await caller.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "simulator", messages = new[] { new { role = "user", content = "Grüß dich" } } },
            Cancellation
        );
        answer.EnsureSuccessStatusCode();
        var id = answer.Headers.GetValues("x-verbatim-inference-id").Single();
        var body = await auditor.GetStringAsync(
            new Uri($"/api/audit/streams/{id}?sealed=true", UriKind.Relative),
            Cancellation
        );
        var stream = JsonNode.Parse(body)!;
        // The exact bytes of each event's data, which writing the JSON again would not keep.
        using var exact = JsonDocument.Parse(body);
        foreach (
            var (node, element) in stream["data"]!.AsArray().Zip(exact.RootElement.GetProperty("data").EnumerateArray())
        )
            node!["data"] = element.GetProperty("data").GetRawText();
        return (id, stream);
    }

    private static JsonObject EventOf(JsonNode @event, string streamId, string streamType, string tenantId)
    {
        var proven = @event.DeepClone().AsObject();
        proven["streamId"] = streamId;
        proven["streamType"] = streamType;
        proven["tenantId"] = tenantId;
        return proven;
    }

    private static async Task<JsonNode> SealedAsync(HttpClient auditor, long position)
    {
        while (true)
        {
            var page = await GetAsync(auditor, "checkpoints?limit=1");
            if (page["data"]!.AsArray() is [{ } newest] && newest["treeSize"]!.GetValue<long>() >= position)
                return newest.DeepClone();
            await Task.Delay(50, Cancellation);
        }
    }

    private static async Task<string> TenantAsync(HttpClient client)
    {
        var me = await client.GetFromJsonAsync<JsonNode>("/api/me", Cancellation);
        return me!["organizationId"]!.GetValue<string>();
    }

    private async Task<long> HeadAsync()
    {
        var database = host.Services.GetRequiredService<Database>();
        await using var command = database.Writes.CreateCommand("select max(position) from platform.events");
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string route)
    {
        using var response = await client.GetAsync(new Uri($"/api/audit/{route}", UriKind.Relative), Cancellation);
        var body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonNode.Parse(body)!;
    }

    private static async Task<string> VerifyAsync(JsonNode evidence)
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
        await node.StandardInput.WriteAsync(evidence.ToJsonString());
        node.StandardInput.Close();
        await node.WaitForExitAsync(Cancellation);
        return node.ExitCode == 0 ? (await output).Trim() : await errors;
    }
}
