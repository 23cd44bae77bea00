using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Settings;

public sealed class ValidateProviderTests(SettingsHost settings, SharedPostgres postgres) : IClassFixture<SettingsHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Administrator => settings.Administrator;

    [Fact]
    public async Task A_provider_that_answers_is_valid_and_that_is_on_record()
    {
        var id = await settings.RegisterAsync(Administrator);

        var found = await Administrator.PostJsonAsync(
            $"/api/providers/{id}/validate",
            new { model = "gpt-fake" },
            HttpStatusCode.OK
        );

        Assert.True(found["isValid"]!.GetValue<bool>());
        Assert.True(found["latencyMs"]!.GetValue<double>() > 0);
        Assert.Contains("gpt-fake", found["models"]!.AsArray().Select(m => m!.GetValue<string>()));
        Assert.Null(found["error"]);
        var last = (await Administrator.GetJsonAsync($"/api/providers/{id}"))["lastValidation"]!;
        Assert.Equal(
            (true, "gpt-fake", found["models"]!.AsArray().Count),
            (last["isValid"]!.GetValue<bool>(), last["model"]!.GetValue<string>(), last["models"]!.GetValue<int>())
        );
    }

    [Fact]
    public async Task That_settings_were_tried_and_not_saved_is_on_record_without_their_credential()
    {
        await using var refuses = new CannedServer(401, "application/json", """{"error":{"code":"401"}}""");

        await CodeAsync("openai-compatible", refuses.Address.ToString(), "mine", "sk-canary-tried");

        var trials = await Administrator.GetJsonAsync("/api/audit/streams?type=provider-trial&limit=1");
        var stream = trials["data"]![0]!["streamId"]!.GetValue<Guid>();
        var events = await Administrator.GetJsonAsync($"/api/audit/streams/{stream}");
        var tried = Assert.Single(events["data"]!.AsArray())!;
        Assert.Equal("gateway.provider-tried", tried["type"]!.GetValue<string>());
        Assert.StartsWith("user:", tried["actor"]!.GetValue<string>(), StringComparison.Ordinal);
        var data = tried["data"]!;
        Assert.Equal("openai-compatible", data["kind"]!.GetValue<string>());
        Assert.Equal(refuses.Address.ToString().TrimEnd('/'), data["baseUrl"]!.GetValue<string>());
        Assert.Equal("wrong-credential", data["validation"]!["error"]!.GetValue<string>());
        Assert.Equal("mine", data["validation"]!["model"]!.GetValue<string>());
        Assert.DoesNotContain("canary", tried.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status=401", "wrong-credential")]
    [InlineData("status=403", "not-allowed")]
    [InlineData("status=404", "unknown-model")]
    [InlineData("status=429", "rate-limited")]
    [InlineData("status=500", "provider-failed")]
    [InlineData("status=400", "request-refused")]
    public async Task What_a_provider_says_of_a_model_is_told_apart(string command, string code)
    {
        var id = await settings.RegisterAsync(Administrator);

        var found = await Administrator.PostJsonAsync(
            $"/api/providers/{id}/validate",
            new { model = "gpt-fake@" + command },
            HttpStatusCode.OK
        );

        Assert.False(found["isValid"]!.GetValue<bool>());
        Assert.Equal(code, found["error"]!["code"]!.GetValue<string>());
        Assert.Equal(
            code,
            (await Administrator.GetJsonAsync($"/api/providers/{id}"))["lastValidation"]!["error"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task Whatever_is_wrong_with_settings_has_a_code_of_its_own()
    {
        var provider = settings.Provider.BaseAddress;
        await using var page = new CannedServer(200, "text/html", "<html>Welcome to nginx!</html>");
        await using var forbidden = new CannedServer(
            401,
            "application/json",
            """{"error":{"message":"Incorrect API key provided: sk-canary-leak"}}"""
        );
        await using var moved = new CannedServer(302, "text/plain", "");
        await using var odd = new CannedServer(200, "application/json", """{"data":[{"id":"\ud800"}]}""");

        Assert.Equal("wrong-credential", await CodeAsync("openai-compatible", forbidden.Address + "v1"));
        Assert.Equal("wrong-path", await CodeAsync("openai-compatible", moved.Address + "v1"));
        Assert.Equal("not-an-api", await CodeAsync("openai-compatible", page.Address + "v1"));
        Assert.Equal("not-an-api", await CodeAsync("openai-compatible", odd.Address + "v1"));
        Assert.Equal("unreachable", await CodeAsync("openai-compatible", "http://127.0.0.1:1/v1"));
        Assert.Equal("unknown-host", await CodeAsync("openai-compatible", "http://nothing.invalid/v1"));
        Assert.Equal("tls-failed", await CodeAsync("openai-compatible", $"https://127.0.0.1:{provider.Port}/v1"));
        Assert.Equal("wrong-path", await CodeAsync("openai-compatible", $"http://127.0.0.1:{provider.Port}/v2"));
        Assert.Null(await CodeAsync("openai-compatible", provider.ToString()));
        Assert.Null(await CodeAsync("anthropic", provider.ToString(), apiKey: "key"));
        Assert.Null(await CodeAsync("anthropic", provider.ToString(), "claude-fake", "key"));
        Assert.Null(await CodeAsync("simulator", null, "simulator"));
    }

    [Fact]
    public async Task Azure_which_lists_no_deployments_is_told_by_what_it_says_of_one()
    {
        await using var knows = new CannedServer(
            404,
            "application/json",
            """{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"""
        );
        await using var refuses = new CannedServer(401, "application/json", """{"error":{"code":"401"}}""");
        await using var other = new CannedServer(404, "application/json", """{"error":{"code":"404"}}""");

        Assert.Null(await CodeAsync("azure-openai", knows.Address.ToString()));
        Assert.Equal("unknown-model", await CodeAsync("azure-openai", knows.Address.ToString(), "mine"));
        Assert.Equal("wrong-credential", await CodeAsync("azure-openai", refuses.Address.ToString()));
        Assert.Equal("wrong-path", await CodeAsync("azure-openai", other.Address.ToString()));
        await Administrator.RefusedAsync(
            HttpMethod.Post,
            "/api/providers/validate",
            new { kind = "azure-openai", baseUrl = knows.Address.ToString() },
            HttpStatusCode.UnprocessableEntity,
            "gateway.api-version-missing"
        );
    }

    [Fact]
    public async Task Private_addresses_are_out_of_reach_where_the_setting_says_so()
    {
        await using var host = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Gateway:AllowPrivateAddresses"] = "false" }
        );
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var model = SettingsHost.Fresh("private");
        var provider = await settings.RegisterAsync(administrator);
        await SettingsHost.DeployAsync(administrator, provider, model);

        var found = await administrator.PostJsonAsync(
            $"/api/providers/{provider}/validate",
            new { },
            HttpStatusCode.OK
        );
        var (status, _, _) = await SettingsHost.AskAsync(administrator, model);

        Assert.Equal("address-not-allowed", found["error"]!["code"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.BadGateway, status);
        Assert.Empty(settings.Provider.Requests.Of(model));
    }

    private async Task<string?> CodeAsync(string kind, string? baseUrl, string? model = null, string? apiKey = null)
    {
        var found = await Administrator.PostJsonAsync(
            "/api/providers/validate",
            new
            {
                kind,
                baseUrl,
                model,
                apiKey = apiKey ?? "sk-canary-leak",
                apiVersion = kind == "azure-openai" ? "2024-10-21" : null,
            },
            HttpStatusCode.OK
        );
        Assert.DoesNotContain("canary", found.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(found["isValid"]!.GetValue<bool>(), found["error"] is null);
        if (found["error"] is JsonObject error)
            Assert.True(error["message"]!.GetValue<string>().Length > 20);
        return found["error"]?["code"]!.GetValue<string>();
    }
}
