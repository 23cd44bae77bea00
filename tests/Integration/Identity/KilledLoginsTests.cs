using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Integration.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>Host, or its Postgres, dies in the middle of logins, refreshes, invitations and rotations of keys.</summary>
public sealed class KilledLoginsTests
{
    private const string UnknownToken = "identity.refresh-token-invalid";
    private const string Password = "a long enough secret of theirs";

    private static readonly string[] Settings =
    [
        "--Identity:AdministratorEmail",
        VerbatimHost.AdministratorEmail,
        "--Identity:AdministratorPassword",
        VerbatimHost.AdministratorPassword,
        "--Http:RateLimits:Logins",
        "100000",
        "--Http:RateLimits:Tokens",
        "100000",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_kill_nothing_that_was_answered_is_lost_and_nothing_works_twice()
    {
        using var home = new TemporaryHome();
        var chains = new List<Chain>();
        var keys = new List<RotatedKey>();
        var guests = new ConcurrentBag<Guest>();
        var (refreshes, rotations) = (0, 0);
        await using (var first = await HostProcess.StartAsync(home.Path, Cancellation, Settings))
        {
            using var anyone = first.Client();
            using var administrator = first.Client((await LogInAsync(anyone)).AccessToken);
            for (var i = 0; i < 4; i++)
                chains.Add(new Chain(await LogInAsync(anyone)));
            for (var i = 0; i < 2; i++)
            {
                var made = await administrator.PostJsonAsync("/api/api-keys", new { name = "Rotated" });
                keys.Add(new RotatedKey(made["id"]!.GetValue<Guid>(), made["secret"]!.GetValue<string>()));
            }
            var works = chains
                .Select(c => UntilKilledAsync(() => RefreshAsync(anyone, c)))
                .Concat(keys.Select(k => UntilKilledAsync(() => RotateAsync(administrator, k))))
                .Append(UntilKilledAsync(() => InviteAsync(administrator, anyone)))
                .Append(UntilKilledAsync(() => InviteAsync(administrator, anyone)))
                .ToList();
            await Eventually.UntilAsync(() =>
                Volatile.Read(ref refreshes) > 200
                && Volatile.Read(ref rotations) > 50
                && guests.Count(g => g.WasAccepted) > 5
            );
            first.Kill();
            await Task.WhenAll(works);
        }

        await using var second = await HostProcess.StartAsync(home.Path, Cancellation, Settings);
        using var anybody = second.Client();
        using var auditor = second.Client((await LogInAsync(anybody)).AccessToken);
        foreach (var chain in chains)
            await CheckAsync(second, anybody, chain);
        foreach (var key in keys)
        {
            using var program = second.Client(key.Secret);
            await program.GetJsonAsync("/v1/models");
        }
        foreach (var guest in guests)
            await CheckGuestAsync(anybody, auditor, guest);
        Assert.Equal(0, (await HostProcess.RunAsync(home.Path, "rebuild --check", Cancellation)).ExitCode);
        Assert.Equal(0, (await HostProcess.RunAsync(home.Path, "verify", Cancellation)).ExitCode);

        async Task RefreshAsync(HttpClient client, Chain chain)
        {
            chain.IsPending = true;
            var tokens = Tokens.Of(
                await client.PostJsonAsync(
                    "/api/auth/refresh",
                    new { refreshToken = chain.Last.RefreshToken },
                    HttpStatusCode.OK
                )
            );
            chain.Used.Add(chain.Last.RefreshToken);
            chain.Last = tokens;
            chain.IsPending = false;
            Interlocked.Increment(ref refreshes);
        }

        async Task RotateAsync(HttpClient client, RotatedKey key)
        {
            var rotated = await client.PostJsonAsync(
                $"/api/api-keys/{key.Id}/rotations",
                new { graceSeconds = 600 },
                HttpStatusCode.Created
            );
            key.Secret = rotated["secret"]!.GetValue<string>();
            Interlocked.Increment(ref rotations);
        }

        async Task InviteAsync(HttpClient administrator, HttpClient guest)
        {
            var email = $"guest-{Guid.NewGuid():N}@example.org";
            var made = await administrator.PostJsonAsync("/api/invitations", new { email, role = "user" });
            var token = made["link"]!.GetValue<string>().Split('=')[^1];
            var invited = new Guest(made["id"]!.GetValue<Guid>(), email, token);
            guests.Add(invited);
            await guest.PostJsonAsync(
                "/api/invitations/accept",
                new { token = invited.Token, password = Password },
                HttpStatusCode.OK
            );
            invited.WasAccepted = true;
        }
    }

    [Theory]
    [InlineData("KILL")]
    // A fast shutdown of the server: sessions are told to go (57P01).
    [InlineData("INT")]
    public async Task While_postgres_restarts_logins_are_told_so_and_guesses_are_counted_right(string signal)
    {
        using var home = new TemporaryHome();
        await using var host = await HostProcess.StartAsync(home.Path, Cancellation, Settings);
        using var anyone = host.Client();
        using var administrator = host.Client((await LogInAsync(anyone)).AccessToken);
        var victim = $"victim-{Guid.NewGuid():N}@example.org";
        await administrator.PostJsonAsync("/api/users", new { email = victim, role = "user" });
        var chain = new Chain(await LogInAsync(anyone));
        for (var wrong = 0; wrong < 3; wrong++)
            await GuessAsync(HttpStatusCode.Unauthorized);
        var answers = new ConcurrentQueue<(HttpStatusCode Status, string? Code, bool HasRetryAfter, string Path)>();
        var restarts = 0;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var works = Enumerable
            .Range(0, 3)
            .Select(_ => UntilAsync(enough, () => TellAsync("/api/auth/login", Right)))
            .Append(UntilAsync(enough, RefreshChainAsync))
            .Append(
                UntilAsync(
                    enough,
                    () => TellAsync("/api/auth/refresh", new { refreshToken = "vr_" + new string('x', 44) })
                )
            )
            .ToList();

        for (; restarts < 2; restarts++)
        {
            var before = answers.Count(a => a.Status == HttpStatusCode.OK);
            Stop(home, signal);
            // Those that were under way may end well; then there must be others.
            await Eventually.UntilAsync(() => answers.Count(a => a.Status == HttpStatusCode.OK) > before + 12);
        }
        await enough.CancelAsync();
        await Task.WhenAll(works);

        Assert.Contains(answers, a => a.Status == HttpStatusCode.ServiceUnavailable);
        foreach (var answer in answers)
        {
            if (answer.Status == HttpStatusCode.ServiceUnavailable)
            {
                Assert.Contains(answer.Code, (string?[])["database-unavailable", "server-busy"]);
                Assert.True(answer.HasRetryAfter);
                continue;
            }
            // The right password is never called wrong, nor the refresh token used, since the database was away.
            Assert.True(
                answer.Status == HttpStatusCode.OK || answer is { Path: "/api/auth/refresh", Code: UnknownToken },
                $"{answer}"
            );
        }
        // None was forgotten and none was counted twice: the fifth is the one after which there is a delay.
        await GuessAsync(HttpStatusCode.Unauthorized);
        Assert.Empty(await LockoutsAsync());
        await GuessAsync(HttpStatusCode.Unauthorized);
        var locked = Assert.Single(await LockoutsAsync());
        var events = (await administrator.GetJsonAsync($"/api/audit/streams/{locked}"))["data"]!.AsArray();
        Assert.Equal(5, Assert.Single(events)!["data"]!["failures"]!.GetValue<int>());

        async Task<IReadOnlyList<Guid>> LockoutsAsync()
        {
            var streams = await administrator.GetJsonAsync("/api/audit/streams?type=lockout");
            return [.. streams["data"]!.AsArray().Select(s => s!["streamId"]!.GetValue<Guid>())];
        }

        async Task GuessAsync(HttpStatusCode expected) =>
            await anyone.PostJsonAsync(
                "/api/auth/login",
                new { email = victim, password = "not theirs at all" },
                expected
            );

        async Task RefreshChainAsync()
        {
            var answer = await TellAsync("/api/auth/refresh", new { refreshToken = chain.Last.RefreshToken });
            // An answer of 503 may come after the token was used: the client logs in again.
            chain.Last =
                answer is not null ? Tokens.Of(answer)
                : await TellAsync("/api/auth/login", Right) is { } login ? Tokens.Of(login)
                : chain.Last;
        }

        async Task<JsonNode?> TellAsync(string path, object body)
        {
            using var response = await anyone.PostAsJsonAsync(path, body, Cancellation);
            var json = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
            answers.Enqueue(
                (response.StatusCode, json["code"]?.GetValue<string>(), response.Headers.RetryAfter is not null, path)
            );
            return response.IsSuccessStatusCode ? json : null;
        }
    }

    private static object Right { get; } = new
    {
        email = VerbatimHost.AdministratorEmail,
        password = VerbatimHost.AdministratorPassword,
    };

    // What was answered works, once; what was used does not, and ends the login.
    private static async Task CheckAsync(HostProcess host, HttpClient anyone, Chain chain)
    {
        using var person = host.Client(chain.Last.AccessToken);
        await person.GetJsonAsync("/api/me");

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ =>
                    anyone.PostAsJsonAsync(
                        "/api/auth/refresh",
                        new { refreshToken = chain.Last.RefreshToken },
                        Cancellation
                    )
                )
        );

        Assert.All(
            answers,
            a => Assert.Contains(a.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized })
        );
        // Of one that was under way when it was killed only the client does not know whether it was used.
        Assert.InRange(answers.Count(a => a.StatusCode == HttpStatusCode.OK), chain.IsPending ? 0 : 1, 1);
        foreach (var used in chain.Used.TakeLast(3))
            await anyone.PostJsonAsync("/api/auth/refresh", new { refreshToken = used }, HttpStatusCode.Unauthorized);
        await person.WithinASecondAsync(
            "/api/me",
            HttpStatusCode.Unauthorized,
            System.Diagnostics.Stopwatch.GetTimestamp()
        );
        foreach (var answer in answers)
            answer.Dispose();
    }

    private static async Task CheckGuestAsync(HttpClient anyone, HttpClient administrator, Guest guest)
    {
        var before = await administrator.GetJsonAsync($"/api/invitations/{guest.Id}");
        if (guest.WasAccepted)
            Assert.Equal("accepted", before["status"]!.GetValue<string>());

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 2)
                .Select(_ =>
                    anyone.PostAsJsonAsync(
                        "/api/invitations/accept",
                        new { token = guest.Token, password = Password },
                        Cancellation
                    )
                )
        );

        var wasAccepted = before["status"]!.GetValue<string>() == "accepted";
        Assert.Equal(wasAccepted ? 0 : 1, answers.Count(a => a.StatusCode == HttpStatusCode.OK));
        var after = await administrator.GetJsonAsync($"/api/invitations/{guest.Id}");
        Assert.Equal("accepted", after["status"]!.GetValue<string>());
        await anyone.PostJsonAsync(
            "/api/auth/login",
            new { email = guest.Email, password = Password },
            HttpStatusCode.OK
        );
        foreach (var answer in answers)
            answer.Dispose();
    }

    private static async Task UntilKilledAsync(Func<Task> step)
    {
        try
        {
            while (true)
                await step();
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // It was killed before it answered this one.
        }
    }

    private static async Task UntilAsync(CancellationTokenSource enough, Func<Task> step)
    {
        while (!enough.IsCancellationRequested)
            await step();
    }

    private static void Stop(TemporaryHome home, string signal)
    {
        // The first line is the server's process (Postgres, "postmaster.pid").
        var process = File.ReadLines(home.File("postgres/data/postmaster.pid")).First();
        if (signal == "KILL")
        {
            Servers.Kill(int.Parse(process, CultureInfo.InvariantCulture));
            return;
        }
        using var kill = System.Diagnostics.Process.Start("kill", ["-" + signal, process]);
        kill.WaitForExit();
    }

    private static async Task<Tokens> LogInAsync(HttpClient anyone) =>
        Tokens.Of(await anyone.PostJsonAsync("/api/auth/login", Right, HttpStatusCode.OK));

    private sealed record Tokens(string AccessToken, string RefreshToken)
    {
        public static Tokens Of(JsonNode answer) =>
            new(answer["accessToken"]!.GetValue<string>(), answer["refreshToken"]!.GetValue<string>());
    }

    // A login that is refreshed again and again.
    private sealed class Chain(Tokens first)
    {
        public Tokens Last { get; set; } = first;

        public List<string> Used { get; } = [];

        /// <summary>The last token was sent, and no answer has come.</summary>
        public bool IsPending { get; set; }
    }

    private sealed class RotatedKey(Guid id, string secret)
    {
        public Guid Id => id;

        public string Secret { get; set; } = secret;
    }

    private sealed record Guest(Guid Id, string Email, string Token)
    {
        public bool WasAccepted { get; set; }
    }
}
