using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;
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

    private static async Task<(int ExitCode, string Output)> RotateAsync(VerbatimHost host)
    {
        var command = host.Services.GetServices<ICommand>().Single(c => c.Name == "rotate-signing-key");
        await using var output = new StringWriter();
        return (await command.RunAsync([], output, Cancellation), output.ToString());
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
