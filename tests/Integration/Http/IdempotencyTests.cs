using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Sweeping;

namespace Verbatim.Tests.Integration.Http;

public sealed class IdempotencyTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_request_again_gets_the_first_answer_and_happens_once()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());

        using var first = await CreateAsync(administrator, key, name);
        using var second = await CreateAsync(administrator, key, name);

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal(first.Content.Headers.ContentType, second.Content.Headers.ContentType);
        Assert.Equal(
            await first.Content.ReadAsStringAsync(Cancellation),
            await second.Content.ReadAsStringAsync(Cancellation)
        );
        // The exchange is another one.
        Assert.NotEqual(first.Headers.GetValues("x-request-id"), second.Headers.GetValues("x-request-id"));
        Assert.Equal(1, await CountAsync(name));
    }

    [Fact]
    public async Task Without_a_key_every_request_happens()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var name = NewName();

        using var first = await CreateAsync(administrator, null, name);
        using var second = await CreateAsync(administrator, null, name);

        Assert.Equal(2, await CountAsync(name));
    }

    [Fact]
    public async Task A_secret_that_is_shown_once_is_shown_again_to_the_same_request_and_not_stored_readably()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());

        using var first = await CreateAsync(administrator, key, name);
        var secret = (await first.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["secret"]!.GetValue<string>();
        using var caller = host.As(secret);
        using var works = await caller.GetAsync("/v1/models", Cancellation);

        Assert.Equal(HttpStatusCode.OK, works.StatusCode);
        var kept = await ScalarAsync<byte[]>("select answer from platform.idempotent_requests where key = $1", key);
        Assert.NotNull(kept);
        Assert.DoesNotContain(secret, Encoding.Latin1.GetString(kept), StringComparison.Ordinal);
        Assert.DoesNotContain(name, Encoding.Latin1.GetString(kept), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_belongs_to_one_request()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using var first = await CreateAsync(administrator, key, name);

        using var otherBody = await CreateAsync(administrator, key, NewName());
        using var otherQuery = await CreateAsync(administrator, key, name, "/api/api-keys?a=b");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, otherBody.StatusCode);
        Assert.Equal("idempotency-key-reused", await CodeAsync(otherBody));
        Assert.Equal("idempotency-key-reused", await CodeAsync(otherQuery));
    }

    [Fact]
    public async Task A_key_belongs_to_one_caller_and_one_route()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var program = host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));
        var (key, name) = (NewKey(), NewName());

        using var first = await CreateAsync(administrator, key, name);
        using var otherCaller = await CreateAsync(program, key, name);
        using var otherRoute = await PostAsync(
            administrator,
            "/api/users",
            key,
            new { email = $"{name}@example.org", role = "user" }
        );

        Assert.Equal(HttpStatusCode.Created, otherCaller.StatusCode);
        Assert.False(otherCaller.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(HttpStatusCode.Created, otherRoute.StatusCode);
        Assert.Equal(2, await CountAsync(name));
    }

    [Fact]
    public async Task Of_many_at_once_on_two_instances_one_happens()
    {
        await using var second = await VerbatimHost.StartAsync(host.ConnectionString);
        using var here = await host.AsAdministratorAsync(Cancellation);
        using var there = await second.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 24).Select(i => CreateAsync(i % 2 == 0 ? here : there, key, name))
        );

        Assert.Equal(1, await CountAsync(name));
        var first = Assert.Single(
            answers,
            a => a.StatusCode == HttpStatusCode.Created && !a.Headers.Contains("Idempotency-Replayed")
        );
        var body = await first.Content.ReadAsStringAsync(Cancellation);
        foreach (var answer in answers)
        {
            if (answer.StatusCode == HttpStatusCode.Created)
                Assert.Equal(body, await answer.Content.ReadAsStringAsync(Cancellation));
            else
                Assert.Equal("idempotency-in-progress", await CodeAsync(answer));
            answer.Dispose();
        }
    }

    [Fact]
    public async Task A_request_that_is_being_carried_out_is_not_carried_out_beside_itself()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using var first = await CreateAsync(administrator, key, name);
        await ExecuteAsync("update platform.idempotent_requests set answer = null where key = $1", key);

        using var beside = await CreateAsync(administrator, key, name);

        Assert.Equal(HttpStatusCode.Conflict, beside.StatusCode);
        Assert.Equal("idempotency-in-progress", await CodeAsync(beside));
        Assert.Equal(TimeSpan.FromSeconds(1), beside.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task After_a_crash_behind_the_record_the_request_is_not_carried_out_again()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using var first = await CreateAsync(administrator, key, name);
        // What an instance leaves that is killed between its record and its answer.
        await ExecuteAsync(
            "update platform.idempotent_requests set answer = null, started_at = now() - interval '2 minutes' where key = $1",
            key
        );

        using var again = await CreateAsync(administrator, key, name);
        var problem = (await again.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;

        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.Equal("idempotency-answer-lost", problem["code"]!.GetValue<string>());
        Assert.Contains(
            first.Headers.GetValues("x-request-id").Single(),
            problem["detail"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        Assert.Equal(1, await CountAsync(name));
    }

    [Fact]
    public async Task After_a_crash_before_the_record_the_request_is_carried_out()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using (await CreateAsync(administrator, key, name))
        using (await PostAsync(administrator, $"/api/nothing", key, new { })) { }
        // What an instance leaves that is killed before its record.
        await ExecuteAsync(
            """
            update platform.idempotent_requests
            set answer = null, has_effect = false, started_at = now() - interval '2 minutes' where key = $1
            """,
            key
        );

        using var again = await CreateAsync(administrator, key, name);

        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.False(again.Headers.Contains("Idempotency-Replayed"));
        // The one of before is not undone here; in a real crash there is none.
        Assert.Equal(2, await CountAsync(name));
    }

    [Fact]
    public async Task An_execution_that_lost_its_row_to_another_records_nothing()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        // Whoever holds the counter of the log holds every append: the request waits behind its row, and loses it meanwhile.
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var holder = await source.OpenConnectionAsync(Cancellation);
        Task<HttpResponseMessage> late;
        await using (var transaction = await holder.BeginTransactionAsync(Cancellation))
        {
            await using (var hold = new NpgsqlCommand("select 1 from platform.sequencer for update", holder))
                await hold.ExecuteNonQueryAsync(Cancellation);
            late = CreateAsync(administrator, key, name);
            while (
                await ScalarAsync<Guid?>("select attempt from platform.idempotent_requests where key = $1", key) is null
            )
                Cancellation.ThrowIfCancellationRequested();
            await ExecuteAsync(
                "update platform.idempotent_requests set attempt = gen_random_uuid() where key = $1",
                key
            );
            await transaction.RollbackAsync(Cancellation);
        }

        using var refused = await late;

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Equal("idempotency-in-progress", await CodeAsync(refused));
        Assert.Equal(0, await CountAsync(name));
    }

    [Fact]
    public async Task A_refusal_by_the_rules_is_an_answer_like_any_other()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var key = NewKey();
        var body = new { name = "x", scopes = (string[])["no-such-scope"] };

        using var first = await PostAsync(administrator, "/api/api-keys", key, body);
        using var second = await PostAsync(administrator, "/api/api-keys", key, body);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, second.StatusCode);
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal("identity.unknown-scope", await CodeAsync(second));
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_leaves_the_key_free()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using var broken = new HttpRequestMessage(HttpMethod.Post, "/api/api-keys")
        {
            Content = new StringContent("{", Encoding.UTF8, "application/json"),
            Headers = { { "Idempotency-Key", key } },
        };

        using var first = await administrator.SendAsync(broken, Cancellation);
        using var second = await CreateAsync(administrator, key, name);

        Assert.Equal("malformed-json", await CodeAsync(first));
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
    }

    [Fact]
    public async Task A_fault_of_the_server_is_not_kept()
    {
        await using var own = await VerbatimHost.StartAsync(await EmptyDatabaseAsync());
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        await using var source = NpgsqlDataSource.Create(own.ConnectionString);

        await using (var breakIt = source.CreateCommand("alter table identity.api_key_secrets rename to elsewhere"))
            await breakIt.ExecuteNonQueryAsync(Cancellation);
        using var failed = await CreateAsync(administrator, key, name);
        await using (var mendIt = source.CreateCommand("alter table identity.elsewhere rename to api_key_secrets"))
            await mendIt.ExecuteNonQueryAsync(Cancellation);
        using var again = await CreateAsync(administrator, key, name);

        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.False(again.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task A_client_that_went_away_finds_its_answer_when_it_comes_back()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using (var impatience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            var leaving = SendAsync(administrator, "/api/api-keys", key, new { name }, impatience.Token);
            while (
                !leaving.IsCompleted
                && await ScalarAsync<Guid?>("select attempt from platform.idempotent_requests where key = $1", key)
                    is null
            )
                Cancellation.ThrowIfCancellationRequested();
            await impatience.CancelAsync();
            await ((Task)leaving).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
            );
        }

        HttpResponseMessage back;
        while ((back = await CreateAsync(administrator, key, name)).StatusCode == HttpStatusCode.Conflict)
            back.Dispose();

        using (back)
            Assert.Equal(HttpStatusCode.Created, back.StatusCode);
        Assert.Equal(1, await CountAsync(name));
    }

    [Fact]
    public async Task After_a_day_a_key_is_new_again()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (key, name) = (NewKey(), NewName());
        using var first = await CreateAsync(administrator, key, name);
        await ExecuteAsync(
            "update platform.idempotent_requests set started_at = now() - interval '24 hours' where key = $1",
            key
        );

        using var again = await CreateAsync(administrator, key, NewName());

        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.False(again.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task Keys_of_yesterday_are_removed_batch_by_batch_and_those_of_today_stay()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var fresh = NewKey();
        using var first = await CreateAsync(administrator, fresh, NewName());
        await ExecuteAsync(
            """
            insert into platform.idempotent_requests (tenant_id, actor, route, key, fingerprint, attempt, request_id, started_at)
            select gen_random_uuid(), $1, '/', i, '\x00', gen_random_uuid(), '', now() - interval '25 hours' from generate_series(1, 25) i
            """,
            fresh
        );

        await host.Services.GetRequiredService<Sweeper>().SweepAsync(batchSize: 10, Cancellation);

        Assert.Equal(
            0,
            await ScalarAsync<long>("select count(*) from platform.idempotent_requests where actor = $1", fresh)
        );
        Assert.Equal(
            1,
            await ScalarAsync<long>("select count(*) from platform.idempotent_requests where key = $1", fresh)
        );
    }

    [Theory]
    [InlineData("with a space")]
    [InlineData("")]
    [InlineData("256")]
    public async Task A_key_that_is_no_key_is_refused(string key)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        if (key == "256")
            key = new string('k', 256);

        using var refused = await CreateAsync(administrator, key, NewName());

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("idempotency-key-invalid", await CodeAsync(refused));
    }

    [Fact]
    public async Task A_login_is_never_answered_from_memory()
    {
        using var anyone = host.AsAnyone();
        var key = NewKey();
        var right = new { email = VerbatimHost.AdministratorEmail, password = VerbatimHost.AdministratorPassword };
        var wrong = new { email = VerbatimHost.AdministratorEmail, password = "a wrong password" };

        using var first = await PostAsync(anyone, "/api/auth/login", key, right);
        using var second = await PostAsync(anyone, "/api/auth/login", key, wrong);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, second.StatusCode);
        Assert.Equal(
            0,
            await ScalarAsync<long>("select count(*) from platform.idempotent_requests where key = $1", key)
        );
    }

    [Fact]
    public async Task Only_who_may_do_it_gets_an_answer()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var viewer = await host.AsNewAsync("viewer", Cancellation);
        var (key, name) = (NewKey(), NewName());
        using var first = await CreateAsync(administrator, key, name);

        using var refused = await CreateAsync(viewer, key, name);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private static string NewKey() => Guid.NewGuid().ToString();

    private static string NewName() => "key " + Guid.NewGuid().ToString("N");

    private static Task<HttpResponseMessage> CreateAsync(
        HttpClient client,
        string? key,
        string name,
        string path = "/api/api-keys"
    ) => PostAsync(client, path, key, new { name });

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string? key, object body) =>
        SendAsync(client, path, key, body, Cancellation);

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client,
        string path,
        string? key,
        object body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await client.SendAsync(request, cancellationToken);
    }

    private static async Task<string> CodeAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["code"]!.GetValue<string>();

    private async Task<long> CountAsync(string name)
    {
        var tenant = await host.Services.GetRequiredService<FirstOrganization>().GetIdAsync(Cancellation);
        var keys = await host
            .Services.GetRequiredService<DocumentStore>()
            .ListAsync<ApiKey>(Access.ToAll(tenant), before: null, limit: int.MaxValue, Cancellation);
        return keys.Count(k => k.Value.Name == name);
    }

    private async Task<T?> ScalarAsync<T>(string sql, string parameter)
    {
        await using var command = Command(sql, parameter);
        return (T?)await command.ExecuteScalarAsync(Cancellation);
    }

    private async Task ExecuteAsync(string sql, string parameter)
    {
        await using var command = Command(sql, parameter);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private NpgsqlCommand Command(string sql, string parameter)
    {
        var command = host.Services.GetRequiredService<Database>().Writes.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = parameter });
        return command;
    }

    private async Task<string> EmptyDatabaseAsync()
    {
        var name = "idempotency_" + Guid.NewGuid().ToString("N");
        await using var create = host
            .Services.GetRequiredService<Database>()
            .Writes.CreateCommand($"create database {name}");
        await create.ExecuteNonQueryAsync(Cancellation);
        return new NpgsqlConnectionStringBuilder(host.ConnectionString) { Database = name }.ConnectionString;
    }
}
