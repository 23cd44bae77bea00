using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.OAuth;

public sealed class SigningKeyRotationTests(SharedPostgres postgres)
{
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["Identity:SigningKeyPublishAheadSeconds"] = "3",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_instances_publish_a_new_key_within_a_second_then_sign_with_it_and_still_take_the_old_ones_tokens()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var one = await VerbatimHost.StartAsync(database, Settings);
        await using var two = await VerbatimHost.StartAsync(database, Settings);
        var oldToken = await LogInAsync(one);
        var oldKey = Assert.Single(await PublishedAsync(two));

        var (exitCode, output) = await RotateAsync(one);
        var rotated = Stopwatch.GetTimestamp();
        Assert.Equal(0, exitCode);
        var newKey = output.Split(' ')[2];
        var late = new List<TimeSpan>();
        foreach (var host in (VerbatimHost[])[one, two])
        {
            await Eventually.UntilAsync(async () => (await PublishedAsync(host)).Contains(newKey));
            late.Add(Stopwatch.GetElapsedTime(rotated));
        }
        var between = await LogInAsync(two);

        await Eventually.UntilAsync(async () => KeyOf(await LogInAsync(one)) == newKey);
        var newToken = await LogInAsync(two);

        Assert.All(late, l => Assert.True(l < TimeSpan.FromSeconds(1), $"It took {l}."));
        Assert.Equal(oldKey, KeyOf(oldToken));
        Assert.Equal(oldKey, KeyOf(between));
        Assert.Equal(newKey, KeyOf(newToken));
        foreach (var host in (VerbatimHost[])[one, two])
        foreach (var token in (string[])[oldToken, between, newToken])
            Assert.Equal(HttpStatusCode.OK, await StatusOfMeAsync(host, token));
        Assert.Equal([oldKey, newKey], await PublishedAsync(one));
    }

    [Fact]
    public async Task On_all_instances_the_old_key_verifies_until_its_tokens_have_ended_and_then_leaves()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using (await VerbatimHost.StartAsync(database)) { }
        // As if the first key had signed for an hour, and its successor for half of one: the tokens of the first end in some seconds.
        await ExecuteAsync(
            database,
            """
            update identity.signing_keys set signs_from = signs_from - interval '1 hour';
            update documents.signing_keys
            set data = regexp_replace(data::text, '"signsFrom":"[^"]*"', '"signsFrom":"2026-01-01T00:00:00+00:00"')::json
            """
        );
        await using var one = await VerbatimHost.StartAsync(database, Settings);
        await using var two = await VerbatimHost.StartAsync(database, Settings);
        var oldToken = await LogInAsync(one);
        var oldKey = KeyOf(oldToken);
        var now = TimeProvider.System.GetUtcNow();
        var ends = now + TimeSpan.FromSeconds(8);
        var newKey = await PublishAsync(one, now - KeySchedule.Overlap, ends - KeySchedule.Overlap);
        foreach (var host in (VerbatimHost[])[one, two])
            await Eventually.UntilAsync(async () => (await PublishedAsync(host)).Contains(newKey));

        var newToken = await LogInAsync(two);
        Assert.Equal(newKey, KeyOf(newToken));
        foreach (var host in (VerbatimHost[])[one, two])
        {
            Assert.Equal(HttpStatusCode.OK, await StatusOfMeAsync(host, oldToken));
            Assert.Equal(HttpStatusCode.OK, await StatusOfMeAsync(host, newToken));
            Assert.Equal([oldKey, newKey], await PublishedAsync(host));
        }
        Assert.True(TimeProvider.System.GetUtcNow() < ends, "The machine is too slow for this test.");

        foreach (var host in (VerbatimHost[])[one, two])
        {
            await Eventually.UntilAsync(async () => !(await PublishedAsync(host)).Contains(oldKey));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusOfMeAsync(host, oldToken));
            Assert.Equal(HttpStatusCode.OK, await StatusOfMeAsync(host, newToken));
        }
        Assert.True(TimeProvider.System.GetUtcNow() >= ends, "It left too early.");
        // What the keepers do by themselves every minute; here both at once.
        await Task.WhenAll(
            one.Services.GetRequiredService<SigningKeyRotation>().MaintainAsync(Cancellation),
            two.Services.GetRequiredService<SigningKeyRotation>().MaintainAsync(Cancellation)
        );
        Assert.Equal(
            ["identity.signing-key-published", "identity.signing-key-published", "identity.signing-key-retired"],
            await RecordedAsync(one)
        );
        Assert.Equal([newKey], await StoredAsync(database));
    }

    [Fact]
    public async Task In_an_emergency_the_tokens_of_all_keys_from_before_stop_within_a_second_on_all_instances()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var one = await VerbatimHost.StartAsync(database, Settings);
        await using var two = await VerbatimHost.StartAsync(database, Settings);
        using var anyone = one.AsAnyone();
        var login = await anyone.PostJsonAsync(
            "/api/auth/login",
            new { email = VerbatimHost.AdministratorEmail, password = VerbatimHost.AdministratorPassword },
            HttpStatusCode.OK
        );
        // One key signs, another is published already: both may be known.
        await RotateAsync(one);
        using var onOne = one.As(login["accessToken"]!.GetValue<string>());
        using var onTwo = two.As(login["accessToken"]!.GetValue<string>());
        await onOne.GetJsonAsync("/api/me");
        await onTwo.GetJsonAsync("/api/me");

        var (exitCode, output) = await RotateAsync(one, "--now");
        var change = Stopwatch.GetTimestamp();

        Assert.Equal(0, exitCode);
        var newKey = output.Split(' ')[2];
        await onOne.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change);
        await onTwo.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change);
        Assert.Equal([newKey], await PublishedAsync(one));
        Assert.Equal([newKey], await PublishedAsync(two));
        Assert.Equal([newKey], await StoredAsync(database));
        Assert.Equal(newKey, KeyOf(await LogInAsync(two)));
        // The login itself goes on.
        using var anyoneOnTwo = two.AsAnyone();
        var refreshed = await anyoneOnTwo.PostJsonAsync(
            "/api/auth/refresh",
            new { refreshToken = login["refreshToken"]!.GetValue<string>() },
            HttpStatusCode.OK
        );
        Assert.Equal(HttpStatusCode.OK, await StatusOfMeAsync(one, refreshed["accessToken"]!.GetValue<string>()));
        Assert.Equal(2, (await RecordedAsync(one)).Count(t => t == "identity.signing-key-retired"));
    }

    [Fact]
    public async Task A_rotation_is_on_record()
    {
        await using var host = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            Settings
        );
        var (_, output) = await RotateAsync(host);
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        var stream = await administrator.GetFromJsonAsync<JsonObject>(
            "/api/audit/streams/01990000-0000-7000-8000-6b6579730001",
            Cancellation
        );

        var events = stream!["data"]!.AsArray();
        Assert.Equal(2, events.Count);
        Assert.Equal("identity.signing-key-published", events[1]!["type"]!.GetValue<string>());
        Assert.Equal("system:operator", events[1]!["actor"]!.GetValue<string>());
        Assert.Equal(output.Split(' ')[2], events[1]!["data"]!["keyId"]!.GetValue<string>());
    }

    private static async Task<string> PublishAsync(VerbatimHost host, DateTimeOffset at, DateTimeOffset signsFrom)
    {
        var key = SigningKey.Generate();
        var tenant = await host.Services.GetRequiredService<FirstOrganization>().GetIdAsync(Cancellation);
        await host
            .Services.GetRequiredService<DocumentStore>()
            .DecideAsync<SigningKeyRing>(
                new AppendContext(tenant, "system:signing-keys", ""),
                SigningKeyRing.Id,
                _ =>
                    Decision
                        .Append(new SigningKeyPublished(key.KeyId, at, signsFrom))
                        .AlsoWriting(host.Services.GetRequiredService<SigningKeys>().Store(key, at, signsFrom)),
                Cancellation
            );
        return key.KeyId;
    }

    private static async Task<IReadOnlyList<string>> RecordedAsync(VerbatimHost host)
    {
        using var administrator = host.As(await LogInAsync(host));
        var stream = await administrator.GetJsonAsync($"/api/audit/streams/{SigningKeyRing.Id}");
        return [.. stream["data"]!.AsArray().Select(e => e!["type"]!.GetValue<string>())];
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<IReadOnlyList<string>> StoredAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("select array_agg(kid) from identity.signing_keys");
        return (string[])(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task<(int ExitCode, string Output)> RotateAsync(
        VerbatimHost host,
        params IReadOnlyList<string> arguments
    )
    {
        var command = host.CommandNamed("rotate-signing-key");
        await using var output = new StringWriter();
        return (await command.RunAsync(arguments, output, Cancellation), output.ToString());
    }

    private static Task<string> LogInAsync(VerbatimHost host) =>
        host.LogInAsync(VerbatimHost.AdministratorEmail, VerbatimHost.AdministratorPassword, Cancellation);

    private static string KeyOf(string token) => Jwt.HeaderOf(token)["kid"]!.GetValue<string>();

    private static async Task<IReadOnlyList<string>> PublishedAsync(VerbatimHost host)
    {
        using var anyone = host.AsAnyone();
        var set = await anyone.GetFromJsonAsync<JsonObject>("/oauth/jwks", Cancellation);
        return [.. set!["keys"]!.AsArray().Select(k => k!["kid"]!.GetValue<string>())];
    }

    private static async Task<HttpStatusCode> StatusOfMeAsync(VerbatimHost host, string token)
    {
        using var client = host.As(token);
        using var response = await client.GetAsync("/api/me", Cancellation);
        return response.StatusCode;
    }
}
