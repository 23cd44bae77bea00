using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity.Lockouts;

public sealed class LockoutTests(SharedPostgres postgres, VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const int Free = 5;
    private const string Wrong = "not at all the password";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_five_failures_a_right_password_is_refused_too_until_the_delay_has_passed()
    {
        var person = await Person.CreateAsync(host);
        await FailAsync(person, Free);
        await Person.ShiftDelaysAsync(host, Minute);

        using var refused = await person.TryAsync();
        await Person.ShiftDelaysAsync(host, -Minute - TimeSpan.FromSeconds(1));
        using var taken = await person.TryAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("identity.too-many-attempts", await Person.CodeOfAsync(refused));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 10, 61);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
    }

    [Fact]
    public async Task Delays_double_up_to_a_quarter_of_an_hour()
    {
        var person = await Person.CreateAsync(host);
        await FailAsync(person, Free - 1);
        var delays = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            await FailAsync(person, 1);
            delays.Add(await LastAsync("select extract(epoch from until - last_at)::integer"));
            await Person.ShiftDelaysAsync(host, TimeSpan.FromMinutes(-15));
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900], delays);
    }

    [Fact]
    public async Task A_success_starts_the_count_afresh()
    {
        var person = await Person.CreateAsync(host);
        for (var i = 0; i < 3; i++)
        {
            await FailAsync(person, Free - 1);
            using var success = await person.TryAsync();
            Assert.Equal(HttpStatusCode.OK, success.StatusCode);
        }
    }

    [Fact]
    public async Task An_attempt_that_came_to_no_decision_is_none()
    {
        var guard = host.Services.GetRequiredService<LoginGuard>();
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = new IPAddress(RandomNumberGenerator.GetBytes(16));
        var account = RandomNumberGenerator.GetBytes(32);
        Exception[] failures =
        [
            new NpgsqlException("Away."),
            new LogUnavailableException("Away."),
            new BusyException(Minute),
        ];

        foreach (var failure in failures.Concat(failures).Concat(failures))
        {
            var (attempt, _) = await guard.BeginAsync(http, account, Cancellation);
            Assert.Equal(1, attempt!.Counted.Failures);
            await Assert.ThrowsAsync(failure.GetType(), () => guard.LookAsync<bool>(attempt, () => throw failure));
        }
    }

    [Fact]
    public async Task An_address_without_an_account_is_answered_in_the_same_way()
    {
        using var anyone = host.AsAnyone();
        var body = new { email = $"nobody-{Guid.NewGuid():N}@example.org", password = Wrong };
        for (var i = 0; i < Free; i++)
        {
            using var failed = await anyone.PostAsJsonAsync("/api/auth/login", body, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, failed.StatusCode);
            Assert.Equal("identity.wrong-credentials", await Person.CodeOfAsync(failed));
        }
        await Person.ShiftDelaysAsync(host, Minute);

        using var refused = await anyone.PostAsJsonAsync("/api/auth/login", body, Cancellation);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("identity.too-many-attempts", await Person.CodeOfAsync(refused));
    }

    [Fact]
    public async Task Many_attempts_at_once_on_two_instances_are_no_more_than_many_in_a_row()
    {
        var person = await Person.CreateAsync(host);
        await using var second = await VerbatimHost.StartAsync(host.ConnectionString);
        await FailAsync(person, 1);
        // So that the delay is minutes, and none of the answers comes after it.
        Assert.Equal(12, await LastAsync("update identity.login_attempts u set failures = 12", "returning u.failures"));

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(i => person.TryAsync(Wrong, i % 2 == 0 ? host : second))
        );

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Unauthorized);
        Assert.Equal(29, answers.Count(a => a.StatusCode == HttpStatusCode.TooManyRequests));
        foreach (var answer in answers)
            answer.Dispose();
    }

    [Fact]
    public async Task An_administrator_unlocks_and_both_are_on_record()
    {
        var person = await Person.CreateAsync(host);
        await FailAsync(person, Free);
        await Person.ShiftDelaysAsync(host, Minute);
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var unlocked = await administrator.PostAsync(
            $"/api/users/{person.Id}/unlock",
            content: null,
            Cancellation
        );
        using var taken = await person.TryAsync();

        Assert.Equal(HttpStatusCode.NoContent, unlocked.StatusCode);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        Assert.Equal(1, await CountAsync("identity.account-locked", person));
        Assert.Equal(1, await CountAsync("identity.account-unlocked", person));
    }

    [Fact]
    public async Task Who_is_no_administrator_and_whoever_is_nobody_cannot_be_unlocked()
    {
        var person = await Person.CreateAsync(host);
        using var own = await person.LogInAsync();
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var forbidden = await own.PostAsync($"/api/users/{person.Id}/unlock", content: null, Cancellation);
        using var unknown = await administrator.PostAsync($"/api/users/{Guid.NewGuid()}/unlock", null, Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_network_that_fails_at_very_many_accounts_is_refused()
    {
        await using var alone = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var anyone = alone.AsAnyone();
        await using (var source = NpgsqlDataSource.Create(alone.ConnectionString))
        {
            using var first = await anyone.PostAsJsonAsync(
                "/api/auth/login",
                new { email = "nobody@example.org", password = Wrong },
                Cancellation
            );
            await using var command = source.CreateCommand(
                "update identity.login_attempts set failures = 99 where kind = 'network'"
            );
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }

        using var last = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = "somebody@example.org", password = Wrong },
            Cancellation
        );
        await Person.ShiftDelaysAsync(alone, Minute);
        using var refused = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = VerbatimHost.AdministratorEmail, password = VerbatimHost.AdministratorPassword },
            Cancellation
        );

        Assert.Equal(HttpStatusCode.Unauthorized, last.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
    }

    [Fact]
    public async Task Known_and_unknown_accounts_answer_after_the_same_time()
    {
        var person = await Person.CreateAsync(host);
        var (known, unknown) = (new List<double>(), new List<double>());
        using var anyone = host.AsAnyone();
        for (var i = 0; i < 4; i++)
        {
            known.Add(await TimeAsync(person.Email));
            unknown.Add(await TimeAsync($"nobody-{Guid.NewGuid():N}@example.org"));
        }

        // Both wait until the same moment, which is later than the work takes: a load of others can only add to both.
        Assert.All(known.Concat(unknown), ms => Assert.True(ms >= 295, $"{ms} ms"));
        Assert.InRange(Math.Abs(known.Min() - unknown.Min()), 0, 250);

        async Task<double> TimeAsync(string email)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            using var response = await anyone.PostAsJsonAsync(
                "/api/auth/login",
                new { email, password = Wrong },
                Cancellation
            );
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            return clock.Elapsed.TotalMilliseconds;
        }
    }

    private static async Task FailAsync(Person person, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var failed = await person.TryAsync(Wrong);
            Assert.Equal(HttpStatusCode.Unauthorized, failed.StatusCode);
        }
    }

    // About the account that was tried last; tests of a class run one after the other.
    private async Task<int> LastAsync(string statement, string returning = "")
    {
        const string Last = "(select max(last_at) from identity.login_attempts where kind = 'account')";
        var from = returning.Length == 0 ? "from identity.login_attempts" : "";
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(
            $"{statement} {from} where kind = 'account' and last_at = {Last} {returning}"
        );
        return (int)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task<long> CountAsync(string type, Person person)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(
            "select count(*) from platform.events where type = $1 and convert_from(data, 'UTF8')::jsonb ->> 'userId' = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = type });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = person.Id.ToString() });
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
