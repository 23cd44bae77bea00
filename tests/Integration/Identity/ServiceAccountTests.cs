using System.Net;
using Verbatim.Contracts;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

public sealed class ServiceAccountTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_keys_follow_its_role_and_its_suspension_on_every_instance()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var account = await administrator.PostJsonAsync(
            "/api/service-accounts",
            new { name = "Nightly reports", role = "auditor" }
        );
        var path = $"/api/service-accounts/{account["id"]}";
        var key = await administrator.PostJsonAsync(
            $"{path}/api-keys",
            new { name = "its key", scopes = (string[])[Scopes.AuditRead, Scopes.ModelsRead] }
        );
        using var here = host.As(key["secret"]!.GetValue<string>());
        using var there = other.As(key["secret"]!.GetValue<string>());
        await here.GetJsonAsync("/api/audit/streams");
        await there.GetJsonAsync("/api/audit/streams");

        var shrunk = await administrator.PatchJsonAsync(path, new { role = "viewer" }, ifMatch: "\"1\"");
        var change = TimeProvider.System.GetTimestamp();
        await here.WithinASecondAsync("/api/audit/streams", HttpStatusCode.Forbidden, change);
        await there.WithinASecondAsync("/api/audit/streams", HttpStatusCode.Forbidden, change);
        await there.GetJsonAsync("/v1/models");

        await administrator.PostJsonAsync($"{path}/suspension", body: null, HttpStatusCode.OK);
        change = TimeProvider.System.GetTimestamp();
        await here.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, change);
        await there.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, change);
        var again = await administrator.PostJsonAsync($"{path}/suspension", body: null, HttpStatusCode.OK);
        await administrator.PostJsonAsync($"{path}/reactivation", body: null, HttpStatusCode.OK);
        change = TimeProvider.System.GetTimestamp();
        await there.WithinASecondAsync("/v1/models", HttpStatusCode.OK, change);

        Assert.Equal("viewer", shrunk["role"]!.GetValue<string>());
        Assert.NotNull(again["suspendedAt"]);
        Assert.Equal("\"3\"", again["$etag"]!.GetValue<string>());
        var read = await administrator.GetJsonAsync(path);
        Assert.Null(read["suspendedAt"]);
        var shown = await administrator.GetJsonAsync($"/api/api-keys/{key["id"]}");
        Assert.Equal("serviceAccount", shown["principalKind"]!.GetValue<string>());
        Assert.Equal(account["id"]!.GetValue<Guid>(), shown["principalId"]!.GetValue<Guid>());
    }

    [Fact]
    public async Task What_it_does_is_recorded_as_its_key_and_it_rotates_that_itself()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var account = await administrator.PostJsonAsync("/api/service-accounts", new { name = "A bot", role = "user" });
        var key = await administrator.PostJsonAsync(
            $"/api/service-accounts/{account["id"]}/api-keys",
            new
            {
                name = "its key",
                scopes = (string[])
                    [Scopes.ApiKeysRead, Scopes.ApiKeysWrite, Scopes.InferencesCreate, Scopes.ModelsRead],
            }
        );
        using var bot = host.As(key["secret"]!.GetValue<string>());

        await bot.PostJsonAsync(
            "/v1/chat/completions",
            new { model = "simulator", messages = (object[])[new { role = "user", content = "Hello!" }] },
            HttpStatusCode.OK
        );
        var own = await bot.PostJsonAsync("/api/api-keys", new { name = "another" });
        var rotated = await bot.PostJsonAsync($"/api/api-keys/{key["id"]}/rotations", new { graceSeconds = 0 });
        await bot.GetJsonAsync("/v1/models", HttpStatusCode.Unauthorized);
        using var renewed = host.As(rotated["secret"]!.GetValue<string>());
        await renewed.GetJsonAsync("/v1/models");
        // An administrator may, since a machine has no name of its own to protect.
        await administrator.PostJsonAsync($"/api/api-keys/{key["id"]}/rotations", new { });

        Assert.Equal(
            [own["id"]!.GetValue<Guid>(), key["id"]!.GetValue<Guid>()],
            (await renewed.GetJsonAsync("/api/api-keys"))["data"]!.AsArray().Select(k => k!["id"]!.GetValue<Guid>())
        );
        Assert.Equal(
            "serviceAccount",
            (await administrator.GetJsonAsync($"/api/api-keys/{own["id"]}"))["principalKind"]!.GetValue<string>()
        );
        var streams = await administrator.GetJsonAsync($"/api/audit/streams?type=inference&actor=api-key:{key["id"]}");
        Assert.Single(streams["data"]!.AsArray());
    }

    [Fact]
    public async Task Nobody_makes_one_that_may_more_than_they()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var limited = await host.CreateApiKeyAsync(
            [
                Scopes.ServiceAccountsWrite,
                Scopes.ServiceAccountsRead,
                Scopes.ModelsRead,
                Scopes.AccountRead,
                Scopes.AccountWrite,
            ],
            Cancellation
        );
        using var keyed = host.As(limited);
        using var user = await host.AsNewAsync("user", Cancellation);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        await keyed.RefusedAsync(
            HttpMethod.Post,
            "/api/service-accounts",
            new { name = "strong", role = "admin" },
            HttpStatusCode.Forbidden,
            "identity.role-beyond-yours"
        );
        var account = await keyed.PostJsonAsync("/api/service-accounts", new { name = "weak", role = "viewer" });
        var path = $"/api/service-accounts/{account["id"]}";
        await keyed.RefusedAsync(
            HttpMethod.Patch,
            path,
            new { role = "admin" },
            HttpStatusCode.Forbidden,
            "identity.role-beyond-yours"
        );
        await administrator.RefusedAsync(
            HttpMethod.Post,
            $"{path}/api-keys",
            new { name = "x", scopes = (string[])[Scopes.AuditRead] },
            HttpStatusCode.UnprocessableEntity,
            "identity.scope-beyond-role"
        );
        await administrator.PatchJsonAsync(path, new { role = "admin" });
        await keyed.RefusedAsync(
            HttpMethod.Post,
            $"{path}/api-keys",
            new { name = "x", scopes = (string[])[Scopes.AuditRead] },
            HttpStatusCode.Forbidden,
            "identity.scope-beyond-yours"
        );
        await user.RefusedAsync(HttpMethod.Get, path, body: null, HttpStatusCode.Forbidden, "forbidden");
        await auditor.GetJsonAsync(path);
        await auditor.RefusedAsync(HttpMethod.Post, $"{path}/suspension", null, HttpStatusCode.Forbidden, "forbidden");
        await administrator.RefusedAsync(
            HttpMethod.Get,
            $"/api/service-accounts/{Guid.NewGuid()}",
            body: null,
            HttpStatusCode.NotFound,
            "identity.service-account-not-found"
        );
        Assert.Contains(
            account["id"]!.GetValue<Guid>(),
            (await auditor.GetJsonAsync("/api/service-accounts"))["data"]!
                .AsArray()
                .Select(a => a!["id"]!.GetValue<Guid>())
        );
    }
}
