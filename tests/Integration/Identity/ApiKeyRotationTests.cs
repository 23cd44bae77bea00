using System.Collections.Concurrent;
using System.Net;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>Secrets come and go on two instances with one database, and no request that should succeed fails.</summary>
public sealed class ApiKeyRotationTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_secrets_work_until_the_grace_ends_on_both_instances()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/api-keys", new { name = "rotated" });
        var path = $"/api/api-keys/{made["id"]}";
        var secrets = new List<string> { made["secret"]!.GetValue<string>() };
        await BothAsync(other, secrets[0], HttpStatusCode.OK);

        var first = await administrator.PostJsonAsync($"{path}/rotations", new { });
        secrets.Add(first["secret"]!.GetValue<string>());
        await BothAsync(other, secrets[0], HttpStatusCode.OK);
        await BothAsync(other, secrets[1], HttpStatusCode.OK);
        Assert.Equal("\"2\"", first["$etag"]!.GetValue<string>());
        Assert.Equal(made["id"]!.GetValue<Guid>(), first["id"]!.GetValue<Guid>());
        Assert.Equal(made["prefix"]!.GetValue<string>(), first["oldPrefix"]!.GetValue<string>());
        Assert.InRange(
            first["graceEndsAt"]!.GetValue<DateTimeOffset>() - DateTimeOffset.UtcNow,
            TimeSpan.FromMinutes(58),
            TimeSpan.FromMinutes(60)
        );

        // Again within the grace: the oldest ends at once.
        var second = await administrator.PostJsonAsync($"{path}/rotations", new { graceSeconds = 600 });
        var change = TimeProvider.System.GetTimestamp();
        secrets.Add(second["secret"]!.GetValue<string>());
        await BothEndAsync(other, secrets[0], change);
        await BothAsync(other, secrets[1], HttpStatusCode.OK);
        await BothAsync(other, secrets[2], HttpStatusCode.OK);

        var ended = await administrator.PostJsonAsync($"{path}/rotations/end", body: null, HttpStatusCode.OK);
        change = TimeProvider.System.GetTimestamp();
        Assert.Null(ended["rotation"]);
        await BothEndAsync(other, secrets[1], change);
        await BothAsync(other, secrets[2], HttpStatusCode.OK);
        // Nothing is left to end.
        var again = await administrator.PostJsonAsync($"{path}/rotations/end", body: null, HttpStatusCode.OK);
        Assert.Equal(ended["$etag"]!.GetValue<string>(), again["$etag"]!.GetValue<string>());

        await administrator.SendJsonAsync(HttpMethod.Delete, path, body: null, HttpStatusCode.NoContent);
        change = TimeProvider.System.GetTimestamp();
        await BothEndAsync(other, secrets[2], change);
        await administrator.RefusedAsync(
            HttpMethod.Post,
            $"{path}/rotations",
            new { },
            HttpStatusCode.Conflict,
            "identity.api-key-ended"
        );
    }

    [Fact]
    public async Task A_grace_ends_by_itself_and_there_may_be_none()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/api-keys", new { name = "short" });
        var path = $"/api/api-keys/{made["id"]}";
        using var old = host.As(made["secret"]!.GetValue<string>());
        await old.GetJsonAsync("/v1/models");

        var rotated = await administrator.PostJsonAsync($"{path}/rotations", new { graceSeconds = 2 });

        await old.GetJsonAsync("/v1/models");
        var end = rotated["graceEndsAt"]!.GetValue<DateTimeOffset>();
        while (DateTimeOffset.UtcNow <= end)
            await Task.Delay(20, Cancellation);
        await old.GetJsonAsync("/v1/models", HttpStatusCode.Unauthorized);
        using var current = host.As(rotated["secret"]!.GetValue<string>());
        await current.GetJsonAsync("/v1/models");
        await administrator.PostJsonAsync($"{path}/rotations", new { graceSeconds = 0 });
        await current.GetJsonAsync("/v1/models", HttpStatusCode.Unauthorized);
        foreach (var graceSeconds in (int[])[-1, 604_801])
            await administrator.RefusedAsync(
                HttpMethod.Post,
                $"{path}/rotations",
                new { graceSeconds },
                HttpStatusCode.BadRequest,
                "validation-failed"
            );
    }

    [Fact]
    public async Task Of_many_rotations_at_once_each_is_carried_out_and_two_secrets_are_left()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/api-keys", new { name = "raced" });

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ => administrator.PostJsonAsync($"/api/api-keys/{made["id"]}/rotations", new { }))
        );

        var working = 0;
        foreach (
            var secret in answers
                .Select(a => a["secret"]!.GetValue<string>())
                .Append(made["secret"]!.GetValue<string>())
        )
        {
            using var keyed = host.As(secret);
            using var response = await keyed.GetAsync(new Uri("/v1/models", UriKind.Relative), Cancellation);
            working += response.StatusCode == HttpStatusCode.OK ? 1 : 0;
        }
        Assert.Equal(2, working);
    }

    [Fact]
    public async Task At_500_requests_a_second_no_request_fails_while_the_key_is_rotated()
    {
        const int Workers = 20;
        const int RequestsEach = 250;
        // Somewhat faster, since the timers of a busy machine are late.
        var pace = TimeSpan.FromMilliseconds(Workers * 1000 / 550.0);
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/api-keys", new { name = "busy" });
        // What is given out, and when: half of the workers hear of a new secret a second late.
        var secrets = new ConcurrentStack<(string Secret, long Since)>();
        secrets.Push((made["secret"]!.GetValue<string>(), 0));
        var failures = new ConcurrentBag<string>();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var rotations = RotateAsync();
        var start = TimeProvider.System.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(WorkAsync));

        var elapsed = TimeProvider.System.GetElapsedTime(start);
        await done.CancelAsync();
        var count = await rotations;
        Assert.Empty(failures);
        Assert.True(count >= 3, $"Only {count} rotations took place.");
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Workers * RequestsEach / elapsed.TotalSeconds:0} requests/s, {count} rotations"
        );

        async Task<int> RotateAsync()
        {
            var rotated = 0;
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(2));
            try
            {
                while (await timer.WaitForNextTickAsync(done.Token))
                {
                    var answer = await administrator.PostJsonAsync(
                        $"/api/api-keys/{made["id"]}/rotations",
                        new { graceSeconds = 60 }
                    );
                    secrets.Push((answer["secret"]!.GetValue<string>(), TimeProvider.System.GetTimestamp()));
                    rotated++;
                }
            }
            catch (OperationCanceledException) when (done.IsCancellationRequested) { }
            return rotated;
        }

        async Task WorkAsync(int worker)
        {
            using var client = (worker % 4 < 2 ? host : other).AsAnyone();
            using var timer = new PeriodicTimer(pace);
            for (var i = 0; i < RequestsEach; i++)
            {
                await timer.WaitForNextTickAsync(Cancellation);
                var known = secrets.First(s =>
                    worker % 2 == 0 || TimeProvider.System.GetElapsedTime(s.Since) > TimeSpan.FromSeconds(1)
                );
                using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
                request.Headers.Add("x-api-key", known.Secret);
                using var response = await client.SendAsync(request, Cancellation);
                if (response.StatusCode != HttpStatusCode.OK)
                    failures.Add(
                        $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Cancellation)}"
                    );
            }
        }
    }

    private async Task BothAsync(VerbatimHost other, string secret, HttpStatusCode expected)
    {
        foreach (var instance in (VerbatimHost[])[host, other])
        {
            using var keyed = instance.As(secret);
            await keyed.GetJsonAsync("/v1/models", expected);
        }
    }

    private async Task BothEndAsync(VerbatimHost other, string secret, long change)
    {
        using var here = host.As(secret);
        using var there = other.As(secret);
        await Task.WhenAll(
            here.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, change),
            there.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, change)
        );
    }
}
