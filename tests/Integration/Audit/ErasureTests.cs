using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Evidence;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>A person is erased: nothing of what they said is left to read, and everything that was proven stays proven.</summary>
public sealed class ErasureTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private const int People = 10;
    private const int CanariesEach = 100;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_a_thousand_canaries_none_is_left_anywhere_and_every_proof_holds()
    {
        using var home = new TemporaryHome();
        await using var server = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions { Home = home.Path },
            Cancellation
        );
        await using var own = await VerbatimHost.StartAsync(server.ConnectionString);
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var nest = $"canary{Guid.NewGuid():N}";
        var people = new List<Guid>();
        for (var i = 0; i < People; i++)
            people.Add(await PersonWithCanariesAsync(own, administrator, $"{nest}x{i}x"));
        Assert.Contains($"{nest}x0x0", await EverythingReadAsync(administrator), StringComparison.Ordinal);
        var before = await ExportAsync(own);
        var key = await KeyAsync(administrator);
        Assert.Null((await VerifyAsync(before, key)).Problem);

        foreach (var person in people)
        {
            var report = await PostAsync(administrator, person, HttpStatusCode.Created);
            Assert.Equal("completed", report["status"]!.GetValue<string>());
            Assert.Equal(1, CountOf(report, "documents:user"));
            Assert.Equal(1, CountOf(report, "documents:api-key"));
            // The password, the key, and two logins: the first was with the one-time password.
            Assert.Equal(4, CountOf(report, "credentials"));
        }

        var after = await ExportAsync(own);
        Assert.DoesNotContain(nest, await EverythingReadAsync(administrator), StringComparison.Ordinal);
        Assert.DoesNotContain(nest, before, StringComparison.Ordinal);
        Assert.DoesNotContain(nest, after, StringComparison.Ordinal);
        Assert.Empty(await TablesWithAsync(server.ConnectionString, nest));
        var administration = new NpgsqlConnectionStringBuilder(server.AdministratorConnectionString)
        {
            Database = new NpgsqlConnectionStringBuilder(server.ConnectionString).Database,
        };
        await ExecuteAsync(administration.ConnectionString, "vacuum");
        await ExecuteAsync(administration.ConnectionString, "checkpoint");
        Assert.Empty(await FilesWithAsync(home.Path, Encoding.UTF8.GetBytes(nest)));
        // What is no secret is found in this way, so that the emptiness above means something.
        const string Open = "My organization";
        Assert.Equal(
            ["documents.organization", "platform.events"],
            (await TablesWithAsync(server.ConnectionString, Open)).Order(StringComparer.Ordinal)
        );
        Assert.NotEmpty(await FilesWithAsync(home.Path, Encoding.UTF8.GetBytes(Open)));
        foreach (var export in (string[])[before, after])
            Assert.Null((await VerifyAsync(export, key)).Problem);
        Assert.Equal("", await RebuildCheckAsync(own));
    }

    [Fact]
    public async Task An_erased_person_s_credentials_end_and_their_record_says_only_that_something_was_there()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"{Guid.NewGuid():N}@example.org";
        var (id, password) = await CreateAsync(host, administrator, email);
        using var person = host.As(await host.LogInAsync(email, password, Cancellation));
        using var keyed = host.As(await CreateKeyAsync(person, "my own key"));
        var call = await CallAsync(keyed, "what I said");

        await PostAsync(administrator, id, HttpStatusCode.Created);

        using (var refused = await keyed.GetAsync(Route("/api/me"), Cancellation))
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.LogInAsync(email, password, Cancellation));
        var users = await GetAsync(administrator, "/api/users?limit=200");
        var user = users["data"]!.AsArray().Single(u => u!["id"]!.GetValue<Guid>() == id)!;
        Assert.Equal("[erased]", user["email"]!.GetValue<string>());
        var stream = await GetAsync(administrator, $"/api/audit/streams/{call}");
        Assert.Equal("[erased]", stream["data"]![0]!["data"]!["request"]!.GetValue<string>());
        Assert.Equal("[erased]", stream["data"]![1]!["data"]!["response"]!.GetValue<string>());
        Assert.Equal("simulator", stream["data"]![0]!["data"]!["model"]!.GetValue<string>());
        var state = await GetAsync(administrator, $"/api/audit/streams/{call}/state");
        Assert.Equal("[erased]", state["state"]!["request"]!.GetValue<string>());
        // The address is free for somebody else, or for the same person, as a stranger.
        await CreateAsync(host, administrator, email);
    }

    [Fact]
    public async Task What_cannot_be_erased_is_told_why()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var user = await host.AsNewAsync("user", Cancellation);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        var me = (await GetAsync(administrator, "/api/me"))["userId"]!.GetValue<Guid>();
        var (id, _) = await CreateAsync(host, administrator, $"{Guid.NewGuid():N}@example.org");
        // Another organization's person, whom this administrator must not even find.
        var stranger = Guid.CreateVersion7();
        var keys = host.Services.GetRequiredService<SubjectKeys>();
        await keys.EnsureAsync(Guid.CreateVersion7(), [stranger], Cancellation);

        await RefusedAsync(administrator, me, HttpStatusCode.Conflict, "audit.cannot-erase-yourself");
        await RefusedAsync(administrator, stranger, HttpStatusCode.NotFound, "audit.subject-unknown");
        await RefusedAsync(user, id, HttpStatusCode.Forbidden, "forbidden");
        await RefusedAsync(auditor, id, HttpStatusCode.Forbidden, "forbidden");
        var report = await PostAsync(administrator, id, HttpStatusCode.Created);
        await RefusedAsync(administrator, id, HttpStatusCode.Conflict, "audit.subject-erased");

        var listed = await GetAsync(auditor, "/api/audit/erasures");
        Assert.Contains(
            listed["data"]!.AsArray(),
            e => JsonNode.DeepEquals(e, report) && e!["subjectId"]!.GetValue<Guid>() == id
        );
        Assert.True(JsonNode.DeepEquals(report, await GetAsync(auditor, $"/api/audit/erasures/{report["id"]}")));
        using var nothing = await auditor.GetAsync(Route($"/api/audit/erasures/{Guid.NewGuid()}"), Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        using var malformed = await administrator.PostAsJsonAsync(
            "/api/audit/erasures",
            new { subjectId = "somebody" },
            Cancellation
        );
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
    }

    [Fact]
    public async Task Of_many_who_erase_the_same_person_at_once_one_does()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (id, _) = await CreateAsync(host, administrator, $"{Guid.NewGuid():N}@example.org");

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ => administrator.PostAsJsonAsync("/api/audit/erasures", new { subjectId = id }, Cancellation))
        );

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Created);
        Assert.Equal(7, answers.Count(a => a.StatusCode == HttpStatusCode.Conflict));
        foreach (var answer in answers)
            answer.Dispose();
    }

    [Fact]
    public async Task Another_instance_forgets_the_person_and_an_interrupted_erasure_is_finished()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var one = await VerbatimHost.StartAsync(database);
        await using var two = await VerbatimHost.StartAsync(database);
        using var administrator = await one.AsAdministratorAsync(Cancellation);
        var (id, _) = await CreateAsync(one, administrator, "somebody@example.org");
        using var elsewhere = await two.AsAdministratorAsync(Cancellation);
        Assert.Contains(
            "somebody@example.org",
            (await GetAsync(elsewhere, "/api/users")).ToJsonString(),
            StringComparison.Ordinal
        );

        // The key is destroyed, and nothing else happens where it was asked for: as if that instance had died there.
        var tenant = await one.Services.GetRequiredService<FirstOrganization>().GetIdAsync(Cancellation);
        var erasure = Guid.CreateVersion7();
        await one
            .Services.GetRequiredService<DocumentStore>()
            .CreateAsync(
                new AppendContext(tenant, "system:test", ""),
                [
                    one
                        .Services.GetRequiredService<DocumentStore>()
                        .New<Modules.Audit.Erasures.Erasure>(erasure, new SubjectErased(id)),
                ],
                [one.Services.GetRequiredService<Subjects>().DestroyKey(tenant, id)],
                Cancellation
            );

        await UntilAsync(async () =>
            (await GetAsync(elsewhere, $"/api/audit/erasures/{erasure}"))["status"]!.GetValue<string>() == "completed"
        );
        Assert.DoesNotContain(
            "somebody@example.org",
            (await GetAsync(elsewhere, "/api/users")).ToJsonString(),
            StringComparison.Ordinal
        );
        Assert.Equal("", await RebuildCheckAsync(two));
    }

    private static async Task<Guid> PersonWithCanariesAsync(VerbatimHost host, HttpClient administrator, string canary)
    {
        var sung = 0;
        string Next() => $"{canary}{sung++}";
        var email = $"{Next()}@example.org";
        var (id, password) = await CreateAsync(host, administrator, email);
        string token;
        using (var anyone = host.AsAnyone())
        {
            anyone.DefaultRequestHeaders.UserAgent.ParseAdd($"{Next()}/1.0");
            using var login = await anyone.PostAsJsonAsync("/api/auth/login", new { email, password }, Cancellation);
            token = (await login.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["accessToken"]!.GetValue<string>();
        }
        using var person = host.As(token);
        using var keyed = host.As(await CreateKeyAsync(person, Next()));
        while (sung < CanariesEach)
        {
            // The simulator repeats what it was told, so the answer has it too; some with parts that must be escaped in JSON.
            await CallAsync(keyed, $"{Next()} \"{Next()}\"\n{Next()}é");
        }
        return id;
    }

    private static async Task<string> CallAsync(HttpClient client, string content)
    {
        using var answer = await client.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "simulator", messages = new[] { new { role = "user", content } } },
            Cancellation
        );
        answer.EnsureSuccessStatusCode();
        return answer.Headers.GetValues("x-verbatim-inference-id").Single();
    }

    private static async Task<(Guid Id, string Password)> CreateAsync(
        VerbatimHost host,
        HttpClient administrator,
        string email
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/users")
        {
            Content = JsonContent.Create(new { email, role = "admin" }),
            // Its answer, with the address in it, is kept for a day.
            Headers = { { "Idempotency-Key", Guid.NewGuid().ToString() } },
        };
        using var response = await administrator.SendAsync(request, Cancellation);
        response.EnsureSuccessStatusCode();
        var created = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
        const string password = "a password that nobody has";
        var oneTime = created["oneTimePassword"]!.GetValue<string>();
        await host.ChoosePasswordAsync(email, oneTime, password, Cancellation);
        return (created["id"]!.GetValue<Guid>(), password);
    }

    private static async Task<string> CreateKeyAsync(HttpClient person, string name)
    {
        using var response = await person.PostAsJsonAsync(
            "/api/api-keys",
            new { name, scopes = (string[])[Scopes.InferencesCreate, Scopes.AccountRead] },
            Cancellation
        );
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["secret"]!.GetValue<string>();
    }

    private static async Task<JsonNode> PostAsync(HttpClient client, Guid subjectId, HttpStatusCode expected)
    {
        using var response = await client.PostAsJsonAsync("/api/audit/erasures", new { subjectId }, Cancellation);
        var body = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
        Assert.True(response.StatusCode == expected, $"{response.StatusCode}: {body}");
        return body;
    }

    private static async Task RefusedAsync(HttpClient client, Guid subjectId, HttpStatusCode expected, string code) =>
        Assert.Equal(code, (await PostAsync(client, subjectId, expected))["code"]!.GetValue<string>());

    private static int CountOf(JsonNode report, string name) =>
        report["touched"]!.AsArray().Single(t => t!["name"]!.GetValue<string>() == name)!["count"]!.GetValue<int>();

    // What the API lets an auditor read: people, keys, and every event of every stream.
    private static async Task<string> EverythingReadAsync(HttpClient auditor)
    {
        var everything = new StringBuilder()
            .Append((await GetAsync(auditor, "/api/users?limit=200")).ToJsonString())
            .Append((await GetAsync(auditor, "/api/api-keys?limit=200")).ToJsonString());
        string? cursor = null;
        do
        {
            var page = await GetAsync(
                auditor,
                $"/api/audit/streams?limit=200{(cursor is null ? "" : $"&cursor={cursor}")}"
            );
            foreach (var stream in page["data"]!.AsArray())
                everything.Append(
                    (await GetAsync(auditor, $"/api/audit/streams/{stream!["streamId"]}")).ToJsonString()
                );
            cursor = page["nextCursor"]?.GetValue<string>();
        } while (cursor is not null);
        return everything.ToString();
    }

    private static async Task<string> ExportAsync(VerbatimHost host)
    {
        await host.SealAsync(Cancellation);
        await using var text = new StringWriter();
        var export = host.CommandNamed("export");
        Assert.Equal(0, await export.RunAsync([], text, Cancellation));
        return text.ToString();
    }

    private static async Task<ExportReport> VerifyAsync(string export, NoteKey key)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(export));
        return await new ExportVerifier([key], []).VerifyAsync(stream, Cancellation);
    }

    private static async Task<NoteKey> KeyAsync(HttpClient auditor)
    {
        var keys = await GetAsync(auditor, "/api/audit/checkpoints/keys");
        return NoteKey.TryParse(keys["data"]![0]!["publicKey"]!.GetValue<string>(), out var key)
            ? key
            : throw new InvalidOperationException("The public key is none.");
    }

    private static async Task<string> RebuildCheckAsync(VerbatimHost host)
    {
        await using var text = new StringWriter();
        var rebuild = host.CommandNamed("rebuild");
        return await rebuild.RunAsync(["--check"], text, Cancellation) == 0 ? "" : text.ToString();
    }

    private static async Task<List<string>> TablesWithAsync(string connectionString, string needle)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var tables = new List<string>();
        await using (
            var list = source.CreateCommand(
                "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
            )
        )
        await using (var reader = await list.ExecuteReaderAsync(Cancellation))
        {
            while (await reader.ReadAsync(Cancellation))
                tables.Add(reader.GetString(0));
        }
        Assert.Contains("platform.events", tables);

        var found = new List<string>();
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        foreach (var table in tables)
        {
            // bytea is copied in hexadecimal, so both forms are looked for.
            using var copy = await connection.BeginTextExportAsync($"copy {table} to stdout", Cancellation);
            var text = await copy.ReadToEndAsync(Cancellation);
            var hex = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(needle));
            if (text.Contains(needle, StringComparison.Ordinal) || text.Contains(hex, StringComparison.Ordinal))
                found.Add(table);
        }
        return found;
    }

    // All of the server's files: tables, the write-ahead log, its own log.
    private static async Task<List<string>> FilesWithAsync(string folder, byte[] needle)
    {
        var (found, read) = (new List<string>(), 0L);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            // Neither has content: the one is held, the other a socket.
            if (Path.GetFileName(file) is "lock" or ['.', 's', '.', ..])
                continue;
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            read += await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, Cancellation);
            if (bytes.AsSpan().IndexOf(needle) >= 0)
                found.Add(file);
        }
        Assert.True(read > 16 * 1024 * 1024, "The write-ahead log alone is larger.");
        return found;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await isSo())
            patience.Token.ThrowIfCancellationRequested();
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path) =>
        (await client.GetFromJsonAsync<JsonNode>(Route(path), Cancellation))!;

    private static Uri Route(string path) => new(path, UriKind.Relative);
}
