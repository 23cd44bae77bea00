using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.Models.Configured;
using Verbatim.Platform.Configuration;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway.Settings;

public sealed class ConfigurationSeedTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Differences_become_events_once_and_what_vanishes_is_deleted()
    {
        await using var provider = await FakeProvider.StartAsync(cancellationToken: Cancellation);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Gateway:OllamaUrl"] = "",
            ["Gateway:Providers:main:BaseUrl"] = provider.BaseAddress.ToString(),
            ["Gateway:Providers:main:ApiKey"] = "sk-from-configuration-0001",
            ["Gateway:Deployments:mini:Provider"] = "main",
            ["Gateway:Deployments:mini:UpstreamModel"] = "gpt-fake",
            ["Gateway:Deployments:mini:Prices:0:Input"] = "0.15",
            ["Gateway:Deployments:mini:Prices:0:Output"] = "0.60",
            ["Gateway:Deployments:inline:BaseUrl"] = provider.BaseAddress.ToString(),
            ["Gateway:Models:fast:Tiers:0:mini"] = "3",
            ["Gateway:Models:fast:Tiers:1:inline"] = "1",
            ["OPENAI_API_KEY"] = "sk-from-the-environment",
            ["OPENAI_BASE_URL"] = provider.BaseAddress.ToString(),
        };
        await using (var host = await VerbatimHost.StartAsync(database, settings))
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            Assert.Equal(
                ["inline", "main", "openai"],
                (await NamesAsync(administrator, "/api/providers")).Order(StringComparer.Ordinal)
            );
            Assert.Equal(
                ["inline", "mini", "openai"],
                (await NamesAsync(administrator, "/api/deployments")).Order(StringComparer.Ordinal)
            );
            var model = (await administrator.GetJsonAsync("/api/models"))["data"]![0]!;
            Assert.Equal("Gateway:Models:fast", model["setBy"]!.GetValue<string>());
            Assert.Equal(3, model["tiers"]![0]!["deployments"]![0]!["weight"]!.GetValue<int>());
            foreach (var path in new[] { "providers", "deployments", "models" })
            {
                var id = (await administrator.GetJsonAsync($"/api/{path}"))["data"]![0]!["id"]!;
                foreach (var method in new[] { HttpMethod.Patch, HttpMethod.Delete })
                    await administrator.RefusedAsync(
                        method,
                        $"/api/{path}/{id}",
                        method == HttpMethod.Patch ? new { } : null,
                        HttpStatusCode.Conflict,
                        "gateway.set-by-configuration"
                    );
            }
            Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(administrator, "fast")).Status);
            // Shared with all.
            var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Another" });
            var entered = await administrator.PostJsonAsync(
                "/api/auth/organization",
                new { organizationId = made["id"] },
                HttpStatusCode.OK
            );
            using var another = host.As(entered["accessToken"]!.GetValue<string>());
            Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(another, "any-name-at-all")).Status);
            Assert.Empty(await NamesAsync(another, "/api/providers"));
        }
        var seeded = await EventsAsync(database);
        Assert.Equal(9, seeded.Count);
        Assert.All(seeded, e => Assert.Equal("system:configuration", e.Actor));

        // Three at once: nothing is different, so nothing is recorded.
        var several = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => VerbatimHost.StartAsync(database, settings))
        );
        foreach (var host in several)
            await host.DisposeAsync();
        Assert.Equal(seeded.Count, (await EventsAsync(database)).Count);

        // Three at once, with another key, a change, and something that has vanished.
        settings["Gateway:Providers:main:ApiKey"] = "sk-from-configuration-0002";
        settings["Gateway:Deployments:mini:Weight"] = "5";
        settings.Remove("Gateway:Models:fast:Tiers:1:inline");
        settings.Remove("Gateway:Deployments:inline:BaseUrl");
        several = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => VerbatimHost.StartAsync(database, settings)));
        try
        {
            Assert.Equal(
                [
                    "gateway.provider-credential-replaced",
                    "gateway.deployment-changed",
                    "gateway.model-changed",
                    "gateway.deployment-deleted",
                    "gateway.provider-deleted",
                ],
                (await EventsAsync(database)).Skip(seeded.Count).Select(e => e.Type)
            );
            foreach (var host in several)
            {
                using var administrator = await host.AsAdministratorAsync(Cancellation);
                Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(administrator, "fast")).Status);
                Assert.DoesNotContain("inline", await SettingsHost.ModelsAsync(administrator));
            }
            Assert.Equal("Bearer sk-from-configuration-0002", provider.Requests.All[^1].Header("Authorization"));
        }
        finally
        {
            foreach (var host in several)
                await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_local_Ollama_is_found_at_the_first_start_and_belongs_to_the_API_from_then_on()
    {
        await using var provider = await FakeProvider.StartAsync(cancellationToken: Cancellation);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Gateway:OllamaUrl"] = provider.BaseAddress.GetLeftPart(UriPartial.Authority),
        };
        await using (var host = await VerbatimHost.StartAsync(database, settings))
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            Assert.Contains("gpt-fake-mini", await SettingsHost.ModelsAsync(administrator));
            Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(administrator, "gpt-fake")).Status);
            foreach (var deployment in (await administrator.GetJsonAsync("/api/deployments"))["data"]!.AsArray())
                await administrator.SendJsonAsync(
                    HttpMethod.Delete,
                    $"/api/deployments/{deployment!["id"]}",
                    null,
                    HttpStatusCode.NoContent
                );
        }
        await using (var again = await VerbatimHost.StartAsync(database, settings))
        {
            using var administrator = await again.AsAdministratorAsync(Cancellation);
            Assert.DoesNotContain("gpt-fake", await SettingsHost.ModelsAsync(administrator));
        }
    }

    [Fact]
    public async Task A_name_that_the_API_has_given_stops_a_configuration_of_the_same_and_not_a_key_of_the_environment()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using (var host = await VerbatimHost.StartAsync(database))
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            await administrator.PostJsonAsync(
                "/api/providers",
                new
                {
                    name = "openai",
                    kind = "openai-compatible",
                    baseUrl = "http://127.0.0.1:1/v1",
                }
            );
        }
        await using (
            var host = await VerbatimHost.StartAsync(
                database,
                new Dictionary<string, string>(StringComparer.Ordinal) { ["OPENAI_API_KEY"] = "sk-0123456789abcdef" }
            )
        )
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            Assert.Equal(["openai"], await NamesAsync(administrator, "/api/providers"));
            Assert.Empty(await NamesAsync(administrator, "/api/deployments"));

            var seed = ActivatorUtilities.CreateInstance<ConfigurationSeed>(
                host.Services,
                new ConfiguredSettings(
                    new ConfigurationBuilder()
                        .AddInMemoryCollection([
                            KeyValuePair.Create<string, string?>("Gateway:Providers:openai:Kind", "openai"),
                        ])
                        .Build()
                )
            );
            var refused = await Assert.ThrowsAsync<SettingException>(() => seed.RunAsync(Cancellation));
            Assert.Contains("Gateway:Providers:openai", refused.Message, StringComparison.Ordinal);
            Assert.Equal(["openai"], await NamesAsync(administrator, "/api/providers"));
        }
    }

    private static async Task<IReadOnlyList<string>> NamesAsync(HttpClient client, string path) =>
        [.. (await client.GetJsonAsync(path))["data"]!.AsArray().Select(p => p!["name"]!.GetValue<string>())];

    private static async Task<IReadOnlyList<(string Type, string Actor)>> EventsAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            """
            select type, actor from platform.events
            where type like 'gateway.provider-%' or type like 'gateway.deployment-%' or type like 'gateway.model-%'
            order by position
            """
        );
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var events = new List<(string, string)>();
        while (await reader.ReadAsync(Cancellation))
            events.Add((reader.GetString(0), reader.GetString(1)));
        return events;
    }
}
