using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Settings;

/// <summary>What a change of settings does to the calls of this instance, and of others.</summary>
public sealed class LiveSettingsTests(SettingsHost settings) : IClassFixture<SettingsHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Administrator => settings.Administrator;

    [Fact]
    public async Task Another_instance_goes_by_a_change_within_a_second()
    {
        await using var other = await VerbatimHost.StartAsync(settings.Host.ConnectionString);
        var key = await settings.Host.CreateApiKeyAsync(cancellationToken: Cancellation);
        using var here = settings.Host.As(key);
        using var there = other.As(key);
        var model = SettingsHost.Fresh("m");
        await there.GetJsonAsync($"/v1/models/{model}", HttpStatusCode.NotFound);

        var provider = await settings.RegisterAsync(Administrator);
        var deployment = await SettingsHost.DeployAsync(Administrator, provider, model, "gpt-fake");
        var made = TimeProvider.System.GetTimestamp();
        Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(here, model)).Status);
        await there.WithinASecondAsync($"/v1/models/{model}", HttpStatusCode.OK, made);
        Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(there, model)).Status);
        var sent = (await settings.Provider.Requests.FirstAsync("gpt-fake", Cancellation)).Header("Authorization");
        Assert.Equal("Bearer " + SettingsHost.Credential, sent);

        await Administrator.PatchJsonAsync($"/api/deployments/{deployment}", new { isEnabled = false });
        var off = TimeProvider.System.GetTimestamp();
        Assert.Equal(HttpStatusCode.NotFound, (await SettingsHost.AskAsync(here, model)).Status);
        await there.WithinASecondAsync($"/v1/models/{model}", HttpStatusCode.NotFound, off);
        Assert.Equal(HttpStatusCode.NotFound, (await SettingsHost.AskAsync(there, model)).Status);
    }

    [Fact]
    public async Task A_call_under_way_goes_on_when_its_settings_are_taken_away()
    {
        var marker = SettingsHost.Fresh("held");
        var provider = await settings.RegisterAsync(Administrator);
        var model = SettingsHost.Fresh("m");
        var deployment = await SettingsHost.DeployAsync(Administrator, provider, model, $"{marker}@hold-after=2");
        using var client = settings.Host.As(await settings.Host.CreateApiKeyAsync(cancellationToken: Cancellation));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions");
        request.Content = new StringContent(
            $$"""{"model":"{{model}}","stream":true,"messages":[{"role":"user","content":"{{marker}}"}]}""",
            System.Text.Encoding.UTF8,
            "application/json"
        );
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var upstream = await settings.Provider.Requests.FirstAsync(marker, Cancellation);
        await upstream.HeldAsync(Cancellation);

        await Administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/deployments/{deployment}",
            null,
            HttpStatusCode.NoContent
        );
        await Administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/providers/{provider}",
            null,
            HttpStatusCode.NoContent
        );
        // What nobody holds is let go of; this is still held.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        await settings.RegisterAsync(Administrator);
        upstream.Release();

        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await SettingsHost.AskAsync(client, model)).Status);
    }

    [Fact]
    public async Task A_model_falls_back_to_its_next_tier()
    {
        var name = SettingsHost.Fresh("alias");
        var gone = await Administrator.PostJsonAsync(
            "/api/providers",
            new
            {
                name = SettingsHost.Fresh("gone"),
                kind = "openai-compatible",
                baseUrl = "http://127.0.0.1:1/v1",
            }
        );
        var first = await SettingsHost.DeployAsync(
            Administrator,
            gone["id"]!.GetValue<Guid>(),
            SettingsHost.Fresh("a")
        );
        var second = await SettingsHost.DeployAsync(
            Administrator,
            await settings.RegisterAsync(Administrator),
            SettingsHost.Fresh("b"),
            "gpt-fake"
        );
        await Administrator.PostJsonAsync(
            "/api/models",
            new
            {
                name,
                tiers = new[]
                {
                    new { deployments = new[] { new { deploymentId = first } } },
                    new { deployments = new[] { new { deploymentId = second } } },
                },
            }
        );
        using var client = settings.Host.As(await settings.Host.CreateApiKeyAsync(cancellationToken: Cancellation));

        var (status, inference, _) = await SettingsHost.AskAsync(client, name);

        Assert.Equal(HttpStatusCode.OK, status);
        var attempts = (await SettingsHost.StateOfAsync(Administrator, inference!.Value))["attempts"]!.AsArray();
        Assert.Equal(["upstream-unreachable", null], attempts.Select(a => a!["failure"]?.GetValue<string>()));
    }

    [Fact]
    public async Task What_is_shared_is_there_for_those_it_is_shared_with_and_for_nobody_else()
    {
        var (oneId, one) = await settings.NewOrganizationAsync();
        var (_, two) = await settings.NewOrganizationAsync();
        using var _1 = one;
        using var _2 = two;
        var provider = await settings.RegisterAsync(Administrator);
        var (all, some, own) = (SettingsHost.Fresh("all"), SettingsHost.Fresh("some"), SettingsHost.Fresh("own"));
        await SettingsHost.DeployAsync(Administrator, provider, all, "gpt-fake", new { audience = "allOrganizations" });
        await SettingsHost.DeployAsync(
            Administrator,
            provider,
            some,
            "gpt-fake",
            new { audience = "organizations", organizations = new[] { oneId } }
        );
        await SettingsHost.DeployAsync(Administrator, provider, own, "gpt-fake");

        Assert.Equal([all, some], (await SettingsHost.ModelsAsync(one)).Intersect([all, some, own]));
        Assert.Equal([all], (await SettingsHost.ModelsAsync(two)).Intersect([all, some, own]));
        Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(two, all)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SettingsHost.AskAsync(two, some)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SettingsHost.AskAsync(one, own)).Status);
        var shared = SettingsHost.Fresh("shared");
        await SettingsHost.DeployAsync(
            Administrator,
            await settings.RegisterAsync(Administrator, kind: "openai"),
            shared,
            "gpt-fake",
            new { audience = "allOrganizations" }
        );
        // They share the credential, so what the provider keeps for one of them is not opened for the other.
        var kept = await two.PostJsonAsync(
            "/v1/responses",
            new
            {
                model = shared,
                input = "Hello",
                conversation = "conv_of_somebody",
            },
            HttpStatusCode.BadRequest
        );
        Assert.Equal("kept_at_shared_provider", kept["error"]!["code"]!.GetValue<string>());
        // What one organization has, another does not see: neither in lists nor by asking.
        var theirs = SettingsHost.Fresh("theirs");
        await SettingsHost.DeployAsync(one, await settings.RegisterAsync(one), theirs, "gpt-fake");
        Assert.Equal(HttpStatusCode.OK, (await SettingsHost.AskAsync(one, theirs)).Status);
        foreach (var client in new[] { two, Administrator })
        {
            Assert.DoesNotContain(theirs, await SettingsHost.ModelsAsync(client));
            var refused = await SettingsHost.AskAsync(client, theirs);
            var unknown = await SettingsHost.AskAsync(client, "nobody");
            Assert.Equal(HttpStatusCode.NotFound, refused.Status);
            Assert.Equal(
                unknown.Text.Replace("nobody", "", StringComparison.Ordinal),
                refused.Text.Replace(theirs, "", StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public async Task A_call_costs_what_its_deployment_cost_when_it_came()
    {
        var provider = await settings.RegisterAsync(Administrator);
        var model = SettingsHost.Fresh("priced");
        await Administrator.PostJsonAsync(
            "/api/deployments",
            new
            {
                name = model,
                providerId = provider,
                model,
                upstreamModel = "gpt-fake",
                prices = new object[]
                {
                    new
                    {
                        validFrom = "2020-01-01T00:00:00Z",
                        validTo = "2021-01-01T00:00:00Z",
                        input = 900,
                        output = 900,
                    },
                    new
                    {
                        validFrom = "2021-01-01T00:00:00Z",
                        input = 2.5,
                        output = 10,
                    },
                },
            }
        );

        var (_, inference, _) = await SettingsHost.AskAsync(Administrator, model);

        var state = await SettingsHost.StateOfAsync(Administrator, inference!.Value);
        // 19 tokens of prompt and 9 of answer, as the provider counts.
        Assert.Equal(19, state["usage"]!["inputTokens"]!.GetValue<int>());
        Assert.Equal(0.0001375m, state["cost"]!.GetValue<decimal>());
    }

    [Fact]
    public async Task A_key_may_keep_no_bodies_while_others_do()
    {
        await using var other = await VerbatimHost.StartAsync(settings.Host.ConnectionString);
        var (_, organization) = await settings.NewOrganizationAsync();
        using var _1 = organization;
        var quiet = await organization.PostJsonAsync("/api/api-keys", new { name = "quiet" });
        var open = await organization.PostJsonAsync("/api/api-keys", new { name = "open" });
        using var quietly = settings.Host.As(quiet["secret"]!.GetValue<string>());
        using var openly = settings.Host.As(open["secret"]!.GetValue<string>());
        using var quietlyThere = other.As(quiet["secret"]!.GetValue<string>());
        var nothing = await organization.GetJsonAsync("/api/recording");
        Assert.Null(nothing["default"]);

        var set = await organization.SendJsonAsync(
            HttpMethod.Put,
            "/api/recording",
            new Dictionary<string, object>
            {
                ["apiKeys"] = new Dictionary<string, string> { [quiet["id"]!.GetValue<string>()] = "metadata" },
            },
            HttpStatusCode.OK
        );
        Assert.Equal("\"1\"", set["$etag"]!.GetValue<string>());
        Assert.Equal(
            "metadata",
            (await organization.GetJsonAsync("/api/recording"))["apiKeys"]![
                quiet["id"]!.GetValue<string>()
            ]!.GetValue<string>()
        );
        var changed = TimeProvider.System.GetTimestamp();

        Assert.Equal("metadata", await LevelAsync(quietly));
        Assert.Equal("full", await LevelAsync(openly));
        // Another instance as well, a second later.
        string level;
        do
        {
            var sent = TimeProvider.System.GetElapsedTime(changed);
            level = await LevelAsync(quietlyThere);
            Assert.True(level == "metadata" || sent < TimeSpan.FromSeconds(1), $"Still {level} after {sent}.");
        } while (level != "metadata");
        await organization.RefusedAsync(
            HttpMethod.Put,
            "/api/recording",
            new { @default = "full" },
            HttpStatusCode.PreconditionFailed,
            "version-mismatch",
            ifMatch: "\"7\""
        );

        async Task<string> LevelAsync(HttpClient client)
        {
            var (status, inference, _) = await SettingsHost.AskAsync(client, "simulator");
            Assert.Equal(HttpStatusCode.OK, status);
            var state = await SettingsHost.StateOfAsync(organization, inference!.Value);
            Assert.Equal(state["recording"]!.GetValue<string>() == "full", state["request"] is not null);
            Assert.Equal(state["recording"]!.GetValue<string>() == "metadata", state["requestDigest"] is JsonObject);
            return state["recording"]!.GetValue<string>();
        }
    }

    [Fact]
    public async Task The_last_known_settings_hold_while_the_database_is_away()
    {
        // Its own connections break, those of the test do not.
        await using var proxy = new PostgresProxy(settings.Host.ConnectionString);
        await using var host = await VerbatimHost.StartAsync(proxy.ConnectionString);
        var model = SettingsHost.Fresh("m");
        var provider = await settings.RegisterAsync(Administrator);
        await SettingsHost.DeployAsync(Administrator, provider, model, "gpt-fake");
        using var client = host.As(await settings.Host.CreateApiKeyAsync(cancellationToken: Cancellation));
        await client.WithinASecondAsync($"/v1/models/{model}", HttpStatusCode.OK, TimeProvider.System.GetTimestamp());

        var broken = proxy.BreakNext(PostgresProxy.Breakage.OfRequest);
        await broken;
        for (var i = 0; i < 20; i++)
            await client.GetJsonAsync($"/v1/models/{model}");
    }

    [Fact]
    public async Task Clients_of_Anthropic_see_models_as_there()
    {
        using var client = settings.Host.As(await settings.Host.CreateApiKeyAsync(cancellationToken: Cancellation));
        client.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
        var names = new List<string>();
        var provider = await settings.RegisterAsync(Administrator);
        for (var i = 0; i < 3; i++)
        {
            names.Add(SettingsHost.Fresh("claude"));
            await SettingsHost.DeployAsync(Administrator, provider, names[^1], "gpt-fake");
        }

        var seen = new List<string>();
        string? after = null;
        JsonNode page;
        do
        {
            page = await client.GetJsonAsync($"/v1/models?limit=2{(after is null ? "" : $"&after_id={after}")}");
            seen.AddRange(page["data"]!.AsArray().Select(m => m!["id"]!.GetValue<string>()));
            after = page["last_id"]?.GetValue<string>();
        } while (page["has_more"]!.GetValue<bool>());
        Assert.Equal(Enumerable.Reverse(names), seen.Where(names.Contains));
        Assert.Equal(seen.Distinct(), seen);

        var one = await client.GetJsonAsync($"/v1/models/{names[0]}");
        Assert.Equal(
            ("model", names[0], names[0]),
            (one["type"]!.GetValue<string>(), one["id"]!.GetValue<string>(), one["display_name"]!.GetValue<string>())
        );
        var none = await client.GetJsonAsync("/v1/models/none", HttpStatusCode.NotFound);
        Assert.Equal("not_found_error", none["error"]!["type"]!.GetValue<string>());
        var wrong = await client.GetJsonAsync("/v1/models?limit=0", HttpStatusCode.BadRequest);
        Assert.Equal("invalid_request_error", wrong["error"]!["type"]!.GetValue<string>());
        using var stranger = settings.Host.AsAnyone();
        stranger.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
        var refused = await stranger.GetJsonAsync("/v1/models", HttpStatusCode.Unauthorized);
        Assert.Equal("authentication_error", refused["error"]!["type"]!.GetValue<string>());
    }
}
