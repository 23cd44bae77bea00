using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Settings;

public sealed class ProviderTests(SettingsHost settings) : IClassFixture<SettingsHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Administrator => settings.Administrator;

    [Fact]
    public async Task A_provider_is_registered_read_changed_and_deleted()
    {
        var name = SettingsHost.Fresh("p");
        var made = await Administrator.PostJsonAsync(
            "/api/providers",
            new
            {
                name,
                kind = "openai",
                apiKey = SettingsHost.Credential,
            }
        );
        var path = $"/api/providers/{made["id"]}";
        Assert.Equal("https://api.openai.com/v1", made["baseUrl"]!.GetValue<string>());
        Assert.Equal("cdef", made["credentialHint"]!.GetValue<string>());
        Assert.Equal("\"2\"", made["$etag"]!.GetValue<string>());

        var listed = (await Administrator.GetJsonAsync($"/api/providers?name={name}&kind=openai"))["data"]!.AsArray();
        Assert.Equal(made["id"]!.GetValue<Guid>(), Assert.Single(listed)!["id"]!.GetValue<Guid>());
        Assert.Empty((await Administrator.GetJsonAsync($"/api/providers?name={name}&kind=vllm"))["data"]!.AsArray());

        await Administrator.RefusedAsync(
            HttpMethod.Patch,
            path,
            new { name = "lost" },
            HttpStatusCode.PreconditionFailed,
            "version-mismatch",
            ifMatch: "\"1\""
        );
        var changed = await Administrator.PatchJsonAsync(
            path,
            new { connectTimeoutSeconds = 2.5, apiKey = "" },
            ifMatch: "\"2\""
        );
        Assert.Equal(2.5, changed["connectTimeoutSeconds"]!.GetValue<double>());
        Assert.False(changed["hasCredential"]!.GetValue<bool>());
        Assert.Equal(0L, await CredentialsAsync(made["id"]!.GetValue<Guid>()));

        await Administrator.SendJsonAsync(HttpMethod.Delete, path, null, HttpStatusCode.NoContent);
        await Administrator.RefusedAsync(
            HttpMethod.Get,
            path,
            null,
            HttpStatusCode.NotFound,
            "gateway.provider-not-found"
        );
        await Administrator.RefusedAsync(
            HttpMethod.Delete,
            path,
            null,
            HttpStatusCode.NotFound,
            "gateway.provider-not-found"
        );
        // Its name is free again.
        await Administrator.PostJsonAsync("/api/providers", new { name, kind = "openai" });
    }

    [Fact]
    public async Task A_name_is_given_once_in_an_organization_and_again_in_another()
    {
        var name = SettingsHost.Fresh("p");
        await settings.RegisterAsync(Administrator, name);
        var second = await settings.RegisterAsync(Administrator);
        using var another = await settings.AsNewOrganizationAsync();
        await settings.RegisterAsync(another, name);

        await Administrator.RefusedAsync(
            HttpMethod.Post,
            "/api/providers",
            new { name, kind = "openai" },
            HttpStatusCode.Conflict,
            "gateway.provider-exists"
        );
        await Administrator.RefusedAsync(
            HttpMethod.Patch,
            $"/api/providers/{second}",
            new { name },
            HttpStatusCode.Conflict,
            "gateway.provider-exists"
        );
    }

    [Fact]
    public async Task A_provider_that_has_deployments_is_not_deleted_and_a_deployment_that_a_model_has_is_not_either()
    {
        var provider = await settings.RegisterAsync(Administrator);
        var deployment = await SettingsHost.DeployAsync(Administrator, provider, SettingsHost.Fresh("m"));
        var name = SettingsHost.Fresh("alias");
        var model = await Administrator.PostJsonAsync(
            "/api/models",
            new { name, tiers = new[] { new { deployments = new[] { new { deploymentId = deployment } } } } }
        );

        await Administrator.RefusedAsync(
            HttpMethod.Delete,
            $"/api/providers/{provider}",
            null,
            HttpStatusCode.Conflict,
            "gateway.provider-in-use"
        );
        var refused = await Administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/deployments/{deployment}",
            null,
            HttpStatusCode.Conflict
        );
        Assert.Equal("gateway.deployment-in-use", refused["code"]!.GetValue<string>());
        Assert.Contains(name, refused["detail"]!.GetValue<string>(), StringComparison.Ordinal);

        await Administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/models/{model["id"]}",
            null,
            HttpStatusCode.NoContent
        );
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
    }

    [Fact]
    public async Task A_list_pages_by_its_cursor()
    {
        using var another = await settings.AsNewOrganizationAsync();
        var made = new List<Guid>();
        for (var i = 0; i < 3; i++)
            made.Add(await settings.RegisterAsync(another));

        var first = await another.GetJsonAsync("/api/providers?limit=2");
        var second = await another.GetJsonAsync($"/api/providers?limit=2&cursor={first["nextCursor"]}");

        Assert.Equal(
            Enumerable.Reverse(made),
            first["data"]!.AsArray().Concat(second["data"]!.AsArray()).Select(p => p!["id"]!.GetValue<Guid>())
        );
        Assert.Null(second["nextCursor"]);
    }

    [Fact]
    public async Task The_same_request_again_makes_one_provider()
    {
        using var another = await settings.AsNewOrganizationAsync();
        another.DefaultRequestHeaders.Add("Idempotency-Key", SettingsHost.Fresh("once"));
        var body = new
        {
            name = "once",
            kind = "openai",
            apiKey = SettingsHost.Credential,
        };

        var first = await another.PostJsonAsync("/api/providers", body);
        var second = await another.PostJsonAsync("/api/providers", body);

        Assert.Equal(first["id"]!.GetValue<Guid>(), second["id"]!.GetValue<Guid>());
        another.DefaultRequestHeaders.Remove("Idempotency-Key");
        Assert.Single((await another.GetJsonAsync("/api/providers"))["data"]!.AsArray());
    }

    [Fact]
    public async Task What_is_wrong_with_a_request_is_said_field_by_field()
    {
        using var answer = await Administrator.PostAsJsonAsync(
            "/api/providers",
            new
            {
                name = "",
                kind = "toaster",
                apiKey = "two\nlines",
                connectTimeoutSeconds = 0,
            },
            Cancellation
        );
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!;

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(
            ["apiKey", "connectTimeoutSeconds", "kind", "name"],
            problem["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal)
        );
        Assert.DoesNotContain("two", problem.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prices_that_overlap_are_refused_with_400()
    {
        var provider = await settings.RegisterAsync(Administrator);
        var problem = await Administrator.SendJsonAsync(
            HttpMethod.Post,
            "/api/deployments",
            new
            {
                name = SettingsHost.Fresh("d"),
                providerId = provider,
                model = "m",
                prices = new object[]
                {
                    new
                    {
                        validFrom = "2026-01-01T00:00:00Z",
                        input = 1,
                        output = 2,
                    },
                    new
                    {
                        validFrom = "2026-02-01T00:00:00Z",
                        input = 1,
                        output = 2,
                    },
                },
            },
            HttpStatusCode.BadRequest
        );

        Assert.Contains("overlap", problem["errors"]!["prices"]![0]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deployment_is_at_a_provider_of_its_own_organization_alone()
    {
        var theirs = await settings.RegisterAsync(Administrator);
        using var another = await settings.AsNewOrganizationAsync();
        var own = await SettingsHost.DeployAsync(another, await settings.RegisterAsync(another), "m");

        foreach (var providerId in new[] { theirs, Guid.NewGuid() })
        {
            await another.RefusedAsync(
                HttpMethod.Post,
                "/api/deployments",
                new
                {
                    name = "d",
                    providerId,
                    model = "m",
                },
                HttpStatusCode.UnprocessableEntity,
                "gateway.unknown-provider"
            );
            await another.RefusedAsync(
                HttpMethod.Patch,
                $"/api/deployments/{own}",
                new { providerId },
                HttpStatusCode.UnprocessableEntity,
                "gateway.unknown-provider"
            );
        }
        var theirDeployment = await SettingsHost.DeployAsync(Administrator, theirs, SettingsHost.Fresh("m"));
        foreach (var deploymentId in new[] { theirDeployment, Guid.NewGuid() })
            await another.RefusedAsync(
                HttpMethod.Post,
                "/api/models",
                new { name = "a", tiers = new[] { new { deployments = new[] { new { deploymentId } } } } },
                HttpStatusCode.UnprocessableEntity,
                "gateway.unknown-deployment"
            );
    }

    [Fact]
    public async Task Deployments_and_models_are_changed_under_a_condition_and_answer_with_what_they_are()
    {
        var provider = await settings.RegisterAsync(Administrator);
        var deployment = await SettingsHost.DeployAsync(Administrator, provider, SettingsHost.Fresh("m"), "gpt-fake");
        var path = $"/api/deployments/{deployment}";
        var changed = await Administrator.PatchJsonAsync(
            path,
            new
            {
                weight = 7,
                upstreamModel = "",
                maxConcurrency = 4,
                maxQueue = 2,
                prices = new object[]
                {
                    new
                    {
                        validFrom = "2026-01-01T00:00:00Z",
                        input = 0.15,
                        output = 0.6,
                    },
                },
            },
            ifMatch: "\"1\""
        );
        Assert.Equal((7, 4), (changed["weight"]!.GetValue<int>(), changed["maxConcurrency"]!.GetValue<int>()));
        Assert.Null(changed["upstreamModel"]);
        Assert.Equal(0.15m, changed["prices"]![0]!["input"]!.GetValue<decimal>());
        // The same again is no change.
        Assert.Equal(
            "\"2\"",
            (await Administrator.PatchJsonAsync(path, new { weight = 7 }))["$etag"]!.GetValue<string>()
        );
        await Administrator.RefusedAsync(
            HttpMethod.Patch,
            path,
            new { weight = 8 },
            HttpStatusCode.PreconditionFailed,
            "version-mismatch",
            ifMatch: "\"1\""
        );

        var name = SettingsHost.Fresh("alias");
        var model = await Administrator.PostJsonAsync(
            "/api/models",
            new
            {
                name,
                description = "For tests.",
                hedgeAfterSeconds = 1.5,
                tiers = new[] { new { deployments = new[] { new { deploymentId = deployment, weight = 3 } } } },
            }
        );
        Assert.Equal(
            name,
            (await Administrator.GetJsonAsync($"/api/models?deploymentId={deployment}"))["data"]![0]![
                "name"
            ]!.GetValue<string>()
        );
        var plain = await Administrator.PatchJsonAsync(
            $"/api/models/{model["id"]}",
            new
            {
                hedgeAfterSeconds = 0,
                description = "",
                maxAttempts = 2,
            },
            ifMatch: "\"1\""
        );
        Assert.Null(plain["hedgeAfterSeconds"]);
        Assert.Null(plain["description"]);
        Assert.Equal(2, plain["maxAttempts"]!.GetValue<int>());
        Assert.Equal(
            "\"2\"",
            (await Administrator.GetJsonAsync($"/api/models/{model["id"]}"))["$etag"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task Only_the_organization_that_runs_the_installation_shares()
    {
        using var another = await settings.AsNewOrganizationAsync();
        var provider = await settings.RegisterAsync(another);
        foreach (
            var visibility in new object[]
            {
                new { audience = "allOrganizations" },
                new { audience = "organizations", organizations = new[] { Guid.NewGuid() } },
            }
        )
            await another.RefusedAsync(
                HttpMethod.Post,
                "/api/deployments",
                new
                {
                    name = "d",
                    providerId = provider,
                    model = "m",
                    visibility,
                },
                HttpStatusCode.Forbidden,
                "gateway.cannot-share"
            );
        await another.RefusedAsync(
            HttpMethod.Post,
            "/api/deployments",
            new
            {
                name = "d",
                providerId = provider,
                model = "m",
                visibility = new { audience = "projects" },
            },
            HttpStatusCode.UnprocessableEntity,
            "gateway.invalid-visibility"
        );
    }

    private async Task<long> CredentialsAsync(Guid id)
    {
        await using var source = NpgsqlDataSource.Create(settings.Host.ConnectionString);
        await using var command = source.CreateCommand(
            "select count(*) from gateway.provider_credentials where provider_id = $1"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
