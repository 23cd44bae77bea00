using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Gateway.Files;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway.Files;

/// <summary>
/// One provider, one credential, many callers. The provider <c>keeps</c> is the one of OpenAI's kind, <c>claude</c> the one of Anthropic's, and
/// <c>fake</c> another that speaks OpenAI's wire.
/// </summary>
public sealed class FileTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private const string Path = "/v1/files";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_passes_untouched_and_is_read_listed_and_deleted()
    {
        var content = Random.Shared.GetItems<byte>(
            [.. Enumerable.Range(0, 256).Select(static b => (byte)b)],
            1_500_000
        );
        using var form = Form("report ü.pdf", content);
        var sent = await form.ReadAsByteArrayAsync(Cancellation);
        using var client = gateway.Host.As(gateway.ApiKey);
        using var response = await client.PostAsync(Path, form, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        var file = JsonNode.Parse(text)!;
        var id = file["id"]!.GetValue<string>();

        var received = Received(id);
        Assert.Equal(sent, received.Body);
        Assert.Equal(
            sent.Length.ToString(System.Globalization.CultureInfo.InvariantCulture),
            received.Header("Content-Length")
        );
        Assert.Equal(form.Headers.ContentType!.ToString(), received.Header("Content-Type"));
        Assert.Equal("Bearer sk-the-providers-own", received.Header("Authorization"));

        var again = await client.GetJsonAsync($"{Path}/{id}");
        Assert.Equal(
            ("file", "report ü.pdf", content.Length, "user_data", "processed"),
            (
                again["object"]!.GetValue<string>(),
                again["filename"]!.GetValue<string>(),
                again["bytes"]!.GetValue<int>(),
                again["purpose"]!.GetValue<string>(),
                again["status"]!.GetValue<string>()
            )
        );
        Assert.Equal(file["created_at"]!.GetValue<long>(), again["created_at"]!.GetValue<long>());
        Assert.Contains((await client.GetJsonAsync(Path))["data"]!.AsArray(), f => Id(f) == id);
        using (var read = await client.GetAsync($"{Path}/{id}/content", Cancellation))
        {
            Assert.Equal(content, await read.Content.ReadAsByteArrayAsync(Cancellation));
            // A browser must not take somebody's file for a page of this server.
            Assert.Equal("attachment", read.Content.Headers.ContentDisposition?.DispositionType);
            Assert.Contains(
                "sandbox",
                read.Headers.GetValues("Content-Security-Policy").Single(),
                StringComparison.Ordinal
            );
        }

        await client.SendJsonAsync(
            HttpMethod.Delete,
            $"{Path}/{id}",
            body: null,
            HttpStatusCode.PreconditionFailed,
            "\"9\""
        );
        var deleted = await client.SendJsonAsync(HttpMethod.Delete, $"{Path}/{id}", body: null, HttpStatusCode.OK);
        Assert.True(deleted["deleted"]!.GetValue<bool>());
        foreach (var path in (string[])[$"{Path}/{id}", $"{Path}/{id}/content"])
            await client.GetJsonAsync(path, HttpStatusCode.NotFound);
        await client.SendJsonAsync(HttpMethod.Delete, $"{Path}/{id}", body: null, HttpStatusCode.NotFound);
        Assert.DoesNotContain((await client.GetJsonAsync(Path))["data"]!.AsArray(), f => Id(f) == id);

        var (stream, tenant) = await StreamAsync("data ->> 'upstreamId' = $1", id);
        var record = await RecordAsync(tenant, stream);
        Assert.Equal(
            ["gateway.file-upload-started", "gateway.file-uploaded", "gateway.file-deleted"],
            record.Select(r => r.Type)
        );
        var uploaded = await gateway.DataAsync(record[1], Cancellation);
        var digest = BodyDigest.Of(content);
        Assert.Equal(digest.Sha256, uploaded["content"]!["sha256"]!.GetValue<string>());
        Assert.Equal(digest.Bytes, uploaded["content"]!["bytes"]!.GetValue<long>());
        Assert.DoesNotContain("report", Encoding.UTF8.GetString(record[1].Data.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_reads_lists_deletes_or_names_a_file_of_another()
    {
        var mine = await UploadAsync(gateway.Host.As(gateway.ApiKey), "secret.txt", "The secret.");
        using var colleague = await gateway.Host.AsNewAsync("user", Cancellation);
        using var stranger = await AsNewOrganizationAsync();

        foreach (var other in (HttpClient[])[colleague, stranger])
        {
            var unknown = await RefusedAsync(other, HttpMethod.Get, $"{Path}/file-000000000000000000000000");
            foreach (
                var (method, path) in ((HttpMethod, string)[])
                    [
                        (HttpMethod.Get, $"{Path}/{mine}"),
                        (HttpMethod.Get, $"{Path}/{mine}/content"),
                        (HttpMethod.Delete, $"{Path}/{mine}"),
                    ]
            )
            {
                var refused = await RefusedAsync(other, method, path);
                // In nothing different from a file that is not there.
                Assert.Equal(unknown.Replace("file-000000000000000000000000", mine, StringComparison.Ordinal), refused);
            }
            Assert.Empty((await other.GetJsonAsync(Path))["data"]!.AsArray());
            foreach (var (path, body, parameter) in Naming(mine))
            {
                var before = gateway.Provider.Requests.Of(mine).Count;
                using var answer = await PostAsync(other, path, body);
                var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["error"]!;
                Assert.Equal(
                    path.EndsWith("messages", StringComparison.Ordinal)
                        ? HttpStatusCode.NotFound
                        : HttpStatusCode.BadRequest,
                    answer.StatusCode
                );
                Assert.Contains(parameter, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
                Assert.Equal(before, gateway.Provider.Requests.Of(mine).Count);
            }
        }

        using var owner = gateway.Host.As(gateway.ApiKey);
        Assert.Equal("The secret.", await owner.GetStringAsync($"{Path}/{mine}/content", Cancellation));
    }

    [Fact]
    public async Task Its_owner_and_the_administrator_may_name_a_file_where_it_is()
    {
        using var person = await gateway.Host.AsNewAsync("user", Cancellation);
        var file = await UploadAsync(person, "a.txt", "Some text.");
        using var administrator = gateway.Host.As(gateway.ApiKey);

        foreach (var client in (HttpClient[])[person, administrator])
        {
            foreach (var (path, body, _) in Naming(file).Take(3))
            {
                using var answer = await PostAsync(client, path, body);
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
            }
        }

        Assert.Contains(file, gateway.Provider.Requests.Of(file)[^1].BodyText, StringComparison.Ordinal);
        Assert.Equal(file, Id(await administrator.GetJsonAsync($"{Path}/{file}")));
    }

    [Fact]
    public async Task A_file_at_another_provider_than_the_models_is_refused_by_its_name()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var file = await UploadAsync(client, "a.txt", "Some text.");
        var before = gateway.Provider.Requests.Of(file).Count;

        using var answer = await PostAsync(
            client,
            "/v1/chat/completions",
            $$$"""{"model":"gpt-fake","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"{{{file}}}"}}]}]}"""
        );
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("messages[0].content[0].file.file_id", error["param"]!.GetValue<string>());
        Assert.Equal("file_at_another_provider", error["code"]!.GetValue<string>());
        Assert.Equal(before, gateway.Provider.Requests.Of(file).Count);
    }

    [Fact]
    public async Task A_file_of_an_earlier_turn_is_looked_at_where_the_conversation_is_written_out()
    {
        using var person = await gateway.Host.AsNewAsync("user", Cancellation);
        var file = await UploadAsync(person, "a.txt", "Some text.");
        using var first = await PostAsync(
            person,
            "/v1/responses",
            $$$"""{"model":"keeps-responses","input":[{"role":"user","content":[{"type":"input_file","file_id":"{{{file}}}"}]}]}"""
        );
        var id = Id(JsonNode.Parse(await first.Content.ReadAsStringAsync(Cancellation))!);

        using var second = await PostAsync(
            person,
            "/v1/responses",
            $$$"""{"model":"gpt-fake","input":"And now?","previous_response_id":"{{{id}}}"}"""
        );
        var error = JsonNode.Parse(await second.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(HttpStatusCode.BadRequest, second.StatusCode);
        Assert.Equal("file_at_another_provider", error["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Lists_are_paged_in_both_orders()
    {
        using var person = await gateway.Host.AsNewAsync("user", Cancellation);
        var files = new List<string>();
        for (var i = 0; i < 5; i++)
            files.Add(await UploadAsync(person, $"{i}.txt", "x", purpose: i == 2 ? "vision" : "user_data"));

        Assert.Equal([.. Enumerable.Reverse(files)], await PagesAsync(person, "limit=2", "after"));
        Assert.Equal(files, await PagesAsync(person, "limit=2&order=asc", "after"));
        Assert.Equal([files[2]], await PagesAsync(person, "limit=2&purpose=vision", "after"));
        foreach (
            var wrong in (string[])["limit=0", "limit=10001", "limit=x", "order=up", "after=file-0", "purpose=%00"]
        )
            await person.GetJsonAsync($"{Path}?{wrong}", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Anthropics_files_are_of_their_own()
    {
        using var person = await gateway.Host.AsNewAsync("user", Cancellation);
        person.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
        var files = new List<string>();
        for (var i = 0; i < 3; i++)
            files.Add(await UploadAsync(person, $"download-{i}.txt", $"Text {i}."));

        var shown = await person.GetJsonAsync($"{Path}/{files[0]}");
        Assert.Equal(
            ("file", "download-0.txt", 7, "text/plain"),
            (
                shown["type"]!.GetValue<string>(),
                shown["filename"]!.GetValue<string>(),
                shown["size_bytes"]!.GetValue<int>(),
                shown["mime_type"]!.GetValue<string>()
            )
        );
        var received = Received(files[0]);
        Assert.Equal("sk-ant-the-providers-own", received.Header("x-api-key"));
        var page = await person.GetJsonAsync($"{Path}?limit=2");
        Assert.Equal([files[2], files[1]], page["data"]!.AsArray().Select(Id));
        Assert.True(page["has_more"]!.GetValue<bool>());
        var rest = await person.GetJsonAsync($"{Path}?limit=2&page={page["next_page"]}");
        Assert.Equal([files[0]], rest["data"]!.AsArray().Select(Id));
        Assert.Null(rest["next_page"]);
        var before = await person.GetJsonAsync($"{Path}?limit=1&before_id={files[0]}");
        Assert.Equal([files[1]], before["data"]!.AsArray().Select(Id));
        var chosen = await person.GetJsonAsync($"{Path}?ids[]={files[0]}&ids[]={files[2]}&ids[]=file_0");
        Assert.Equal([files[2], files[0]], chosen["data"]!.AsArray().Select(Id));

        var naming =
            $$$"""{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"{{{files[0]}}}"}}]}]}""";
        using (var answer = await PostAsync(person, "/v1/messages", naming))
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        using var colleague = await gateway.Host.AsNewAsync("user", Cancellation);
        using (var answer = await PostAsync(colleague, "/v1/messages", naming))
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);

        // The other wire does not know it.
        using var openAi = gateway.Host.As(person.DefaultRequestHeaders.Authorization!.Parameter!);
        await openAi.GetJsonAsync($"{Path}/{files[0]}", HttpStatusCode.NotFound);
        Assert.Empty((await openAi.GetJsonAsync(Path))["data"]!.AsArray());

        Assert.Equal("Text 0.", await person.GetStringAsync($"{Path}/{files[0]}/content", Cancellation));
        var deleted = await person.SendJsonAsync(
            HttpMethod.Delete,
            $"{Path}/{files[0]}",
            body: null,
            HttpStatusCode.OK
        );
        Assert.Equal("file_deleted", deleted["type"]!.GetValue<string>());
        var gone = await RefusedAsync(person, HttpMethod.Get, $"{Path}/{files[0]}");
        Assert.Contains("not_found_error", gone, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_too_large_is_refused_with_413(bool announced)
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        using var form = Form($"large-{announced}.bin", new byte[2_200_000]);
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = form };
        if (!announced)
            request.Headers.TransferEncodingChunked = true;
        using var response = await client.SendAsync(request, Cancellation);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("file_too_large", error["code"]!.GetValue<string>());
        Assert.Contains("2097152", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", "{}", 415)]
    [InlineData("multipart/form-data", "x", 400)]
    [InlineData("multipart/form-data; boundary=x", "--x--\r\n", 400)]
    [InlineData("multipart/form-data; boundary=x", "hello", 400)]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\ncontent-disposition: form-data; name=purpose\r\n\r\nuser_data\r\n--x--\r\n",
        400
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; name=file; filename=b\r\n\r\n2\r\n--x--\r\n",
        400
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\ncut off",
        400
    )]
    public async Task A_form_that_is_none_is_refused_in_the_callers_shape(string type, string text, int status)
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        body.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        using var response = await client.PostAsync(Path, body, Cancellation);
        var answer = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.True((int)response.StatusCode == status, answer);
        Assert.NotNull(JsonNode.Parse(answer)!["error"]!["message"]);
    }

    [Fact]
    public async Task What_the_provider_refuses_is_told_and_on_record()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var name = Guid.NewGuid().ToString("N");
        using var form = Form(name, [1, 2, 3]);
        form.Add(new StringContent("gpt@status=429,error-message=Too%20many%20files."), "model");
        using var response = await client.PostAsync(Path, form, Cancellation);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal("Too many files.", error["message"]!.GetValue<string>());
        Assert.NotNull(response.Headers.RetryAfter);
        var failed = await FailureAsync(response);
        Assert.Equal(("upstream-status", 429), (failed["code"]!.GetValue<string>(), failed["status"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_content_that_breaks_off_does_not_look_whole()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var file = await UploadAsync(client, "a@cut-after=0+1000", new string('x', 100_000));

        // Wherever it is noticed: the reset may overtake the head of the answer.
        await Assert.ThrowsAnyAsync<HttpRequestException>(() =>
            client.GetByteArrayAsync($"{Path}/{file}/content", Cancellation)
        );
    }

    [Fact]
    public async Task A_caller_who_leaves_ends_the_upload_and_that_is_on_record()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var requestId = Guid.NewGuid().ToString();
        using var body = new StreamContent(new HalfAForm(leaving, () => RecordedAsync(requestId, 1)));
        body.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = body };
        request.Headers.Add("x-request-id", requestId);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SendAsync(request, leaving.Token));

        var record = await RecordedAsync(requestId, 2);
        Assert.Equal("gateway.file-upload-failed", record[1].Type);
        Assert.Equal("client-left", (await gateway.DataAsync(record[1], Cancellation))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_caller_who_leaves_while_the_provider_answers_has_sent_a_file_and_that_is_on_record()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        var me = await client.GetJsonAsync("/api/me");
        var (tenant, user) = (me["organizationId"]!.GetValue<Guid>(), me["userId"]!.GetValue<Guid>());
        using var form = Form("a.txt", [1, 2, 3]);
        using var leaving = new CancellationTokenSource();
        var services = gateway.Host.Services;
        var requestId = Guid.NewGuid().ToString();
        var http = new DefaultHttpContext
        {
            RequestServices = services,
            RequestAborted = leaving.Token,
            TraceIdentifier = requestId,
            User = new ClaimsPrincipal(
                new CallerIdentity(
                    new Caller(tenant, $"user:{user}", user, new HashSet<string>()) { Reach = Reach.Own },
                    "test"
                )
            ),
        };
        http.Request.ContentType = form.Headers.ContentType!.ToString();
        http.Request.Body = await form.ReadAsStreamAsync(Cancellation);
        var upload = new UploadFile(
            services.GetRequiredService<FileProviders>(),
            services.GetRequiredService<DocumentStore>(),
            services.GetRequiredService<UploadEnds>(),
            services.GetRequiredService<InferenceJournal>(),
            services.GetRequiredService<IdSource>(),
            new SecondTimer(leaving.Cancel)
        );

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload.HandleAsync(http));

        var record = await RecordedAsync(requestId, 2);
        Assert.Equal(["gateway.file-upload-started", "gateway.file-uploaded"], record.Select(r => r.Type));
    }

    [Fact]
    public async Task A_provider_that_is_named_must_be_one_that_keeps_files()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        foreach (var name in (string[])["nobody", "claude", "simulator"])
        {
            using var form = Form("a.txt", [1]);
            using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = form };
            request.Headers.Add("x-verbatim-provider", name);
            using var response = await client.SendAsync(request, Cancellation);
            var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["error"]!;

            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("file_provider_needed", error["code"]!.GetValue<string>());
            Assert.Contains("'keeps'", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    // The file on each wire, with the parameter that an error must name; the first three are at its provider.
    private static IEnumerable<(string Path, string Body, string Parameter)> Naming(string file) =>
        [
            (
                "/v1/chat/completions",
                $$$"""{"model":"keeps-responses","messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"file","file":{"file_id":"{{{file}}}"}}]}]}""",
                "messages[0].content[1].file.file_id"
            ),
            (
                "/v1/responses",
                $$$"""{"model":"keeps-responses","input":[{"role":"user","content":[{"type":"input_file","file_id":"{{{file}}}"}]}]}""",
                "input[0].content[0].file_id"
            ),
            (
                "/v1/chat/completions",
                $$$"""{"model":"keeps-responses","messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"file","file":{"\u0066ile\u005fid":"{{{file}}}"}}]}]}""",
                "messages[0].content[1].file.file_id"
            ),
            (
                "/v1/messages",
                $$$"""{"model":"claude-fake","max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"{{{file}}}"}}]}]}""",
                "messages[0].content[0].source.file_id"
            ),
        ];

    private static MultipartFormDataContent Form(string name, byte[] content, string purpose = "user_data")
    {
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        return new MultipartFormDataContent { { new StringContent(purpose), "purpose" }, { file, "file", name } };
    }

    private static string Id(JsonNode? node) => node!["id"]!.GetValue<string>();

    private static async Task<string> UploadAsync(
        HttpClient client,
        string name,
        string content,
        string purpose = "user_data"
    )
    {
        using var form = Form(name, Encoding.UTF8.GetBytes(content), purpose);
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = form };
        using var response = await client.SendAsync(request, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return Id(JsonNode.Parse(text));
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body) =>
        client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);

    private static async Task<string> RefusedAsync(HttpClient client, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var response = await client.SendAsync(request, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.NotFound, text);
        return text;
    }

    private static async Task<List<string>> PagesAsync(HttpClient client, string query, string cursor)
    {
        var ids = new List<string>();
        var page = await client.GetJsonAsync($"{Path}?{query}");
        while (true)
        {
            ids.AddRange(page["data"]!.AsArray().Select(Id));
            if (!page["has_more"]!.GetValue<bool>())
                return ids;
            page = await client.GetJsonAsync($"{Path}?{query}&{cursor}={page["last_id"]}");
        }
    }

    private ReceivedRequest Received(string id) =>
        gateway.Provider.Requests.All.Single(r =>
            r is { Method: "POST", Path: "/v1/files" }
            && Encoding.UTF8.GetString(r.SentBody).Contains(id, StringComparison.Ordinal)
        );

    private async Task<HttpClient> AsNewOrganizationAsync()
    {
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Another" });
        var entered = await administrator.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = made["id"]!.GetValue<Guid>() },
            HttpStatusCode.OK
        );
        return gateway.Host.As(entered["accessToken"]!.GetValue<string>());
    }

    private async Task<(Guid Stream, Guid Tenant)> StreamAsync(string condition, string value)
    {
        await using var command = gateway
            .Host.Services.GetRequiredService<Database>()
            .Writes.CreateCommand($"select id, tenant_id from documents.provider_file where {condition}");
        command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = value });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        Assert.True(await reader.ReadAsync(Cancellation));
        return (reader.GetGuid(0), reader.GetGuid(1));
    }

    private async Task<List<RecordedEvent>> RecordAsync(Guid tenant, Guid stream)
    {
        var record = new List<RecordedEvent>();
        var events = gateway.Host.Services.GetRequiredService<EventStore>();
        await foreach (var recorded in events.ReadStreamAsync(tenant, stream, 1, Cancellation))
            record.Add(recorded);
        return record;
    }

    private async Task<JsonNode> FailureAsync(HttpResponseMessage response)
    {
        var record = await RecordOfAsync(response.Headers.GetValues("x-request-id").Single());
        Assert.Equal(["gateway.file-upload-started", "gateway.file-upload-failed"], record.Select(r => r.Type));
        return await gateway.DataAsync(record[1], Cancellation);
    }

    private async Task<IReadOnlyList<RecordedEvent>> RecordedAsync(string requestId, int count)
    {
        while (true)
        {
            var record = await RecordOfAsync(requestId);
            if (record.Count >= count)
                return record;
            await Task.Delay(20, Cancellation);
        }
    }

    private async Task<IReadOnlyList<RecordedEvent>> RecordOfAsync(string requestId)
    {
        await using var command = gateway
            .Host.Services.GetRequiredService<Database>()
            .Writes.CreateCommand(
                "select tenant_id, stream_id from platform.events where correlation = $1 and version = 1"
            );
        command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = requestId });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        return await reader.ReadAsync(Cancellation) ? await RecordAsync(reader.GetGuid(0), reader.GetGuid(1)) : [];
    }

    // The first timer watches over the sending, the second over what the provider answers.
    private sealed class SecondTimer(Action made) : TimeProvider
    {
        private int _timers;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (++_timers == 2)
                made();
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }

    // The beginning of a form; when that is under way its sender leaves.
    private sealed class HalfAForm(CancellationTokenSource leaving, Func<Task> underWay)
        : MemoryStream(
            Encoding.ASCII.GetBytes(
                "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n" + new string('x', 50_000)
            )
        )
    {
        // So that its length is not known.
        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read > 0)
                return read;
            await underWay();
            await leaving.CancelAsync();
            throw new OperationCanceledException(leaving.Token);
        }
    }
}
