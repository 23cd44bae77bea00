using System.Net;
using Verbatim.Contracts;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

public sealed class OrganizationTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_organization_is_made_entered_renamed_suspended_and_reactivated()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Before" });
        var id = made["id"]!.GetValue<Guid>();
        var entered = await administrator.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = id },
            HttpStatusCode.OK
        );
        using var here = host.As(entered["accessToken"]!.GetValue<string>());
        using var there = other.As(entered["accessToken"]!.GetValue<string>());
        var key = await here.PostJsonAsync("/api/api-keys", new { name = "its key" });
        using var keyed = other.As(key["secret"]!.GetValue<string>());
        await keyed.GetJsonAsync("/v1/models");

        var renamed = await here.PatchJsonAsync("/api/organization", new { name = "After" }, ifMatch: "\"1\"");
        await here.RefusedAsync(
            HttpMethod.Patch,
            "/api/organization",
            new { name = "Lost" },
            HttpStatusCode.PreconditionFailed,
            "version-mismatch",
            ifMatch: "\"1\""
        );
        Assert.Equal("After", renamed["name"]!.GetValue<string>());
        Assert.False(renamed["runsInstallation"]!.GetValue<bool>());
        Assert.Equal("After", (await there.GetJsonAsync("/api/organization"))["name"]!.GetValue<string>());
        var mine = (await here.GetJsonAsync("/api/me/organizations"))["data"]!.AsArray();
        var current = Assert.Single(mine, m => m!["isCurrent"]!.GetValue<bool>())!;
        Assert.Equal(("After", "admin"), (current["name"]!.GetValue<string>(), current["role"]!.GetValue<string>()));
        // Its one administrator sees nothing of the first organization from there, and has no say over others.
        Assert.Single((await here.GetJsonAsync("/api/users"))["data"]!.AsArray());
        foreach (
            var (method, path) in ((HttpMethod, string)[])
                [
                    (HttpMethod.Get, "/api/organizations"),
                    (HttpMethod.Post, "/api/organizations"),
                    (HttpMethod.Post, $"/api/organizations/{id}/suspension"),
                ]
        )
            await here.RefusedAsync(
                method,
                path,
                method == HttpMethod.Post && path.EndsWith("organizations", StringComparison.Ordinal)
                    ? new { name = "Mine" }
                    : null,
                HttpStatusCode.Forbidden,
                "identity.not-installation-administrator"
            );

        await administrator.PostJsonAsync($"/api/organizations/{id}/suspension", body: null, HttpStatusCode.OK);
        var change = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(
            here.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change),
            there.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change),
            keyed.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, change)
        );
        await administrator.RefusedAsync(
            HttpMethod.Post,
            "/api/auth/organization",
            new { organizationId = id },
            HttpStatusCode.Forbidden,
            "identity.no-membership"
        );
        Assert.Contains(id, await IdsAsync(administrator, "/api/organizations?status=suspended"));
        Assert.DoesNotContain(id, await IdsAsync(administrator, "/api/organizations?status=active"));
        var again = await administrator.PostJsonAsync(
            $"/api/organizations/{id}/suspension",
            body: null,
            HttpStatusCode.OK
        );
        Assert.Equal("\"3\"", again["$etag"]!.GetValue<string>());

        await administrator.PostJsonAsync($"/api/organizations/{id}/reactivation", body: null, HttpStatusCode.OK);
        change = TimeProvider.System.GetTimestamp();
        await keyed.WithinASecondAsync("/v1/models", HttpStatusCode.OK, change);
    }

    [Fact]
    public async Task The_organization_that_runs_the_installation_cannot_be_suspended()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var own = await administrator.GetJsonAsync("/api/organization");

        await administrator.RefusedAsync(
            HttpMethod.Post,
            $"/api/organizations/{own["id"]}/suspension",
            body: null,
            HttpStatusCode.Conflict,
            "identity.first-organization"
        );

        Assert.True(own["runsInstallation"]!.GetValue<bool>());
        Assert.Equal(
            own["id"]!.GetValue<Guid>(),
            (await administrator.GetJsonAsync("/api/me"))["organizationId"]!.GetValue<Guid>()
        );
    }

    [Fact]
    public async Task Only_a_person_makes_one_and_only_who_runs_the_installation_looks_at_others()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var auditor = await host.AsNewAsync("auditor", Cancellation);
        using var user = await host.AsNewAsync("user", Cancellation);
        var account = await administrator.PostJsonAsync("/api/service-accounts", new { name = "bot", role = "admin" });
        var key = await administrator.PostJsonAsync(
            $"/api/service-accounts/{account["id"]}/api-keys",
            new { name = "its key", scopes = Scopes.All }
        );
        using var bot = host.As(key["secret"]!.GetValue<string>());
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Another" });

        await bot.RefusedAsync(
            HttpMethod.Post,
            "/api/organizations",
            new { name = "The bot's" },
            HttpStatusCode.UnprocessableEntity,
            "identity.person-needed"
        );
        Assert.Equal("serviceAccount", (await bot.GetJsonAsync("/api/me"))["kind"]!.GetValue<string>());
        await auditor.GetJsonAsync($"/api/organizations/{made["id"]}");
        Assert.Contains(made["id"]!.GetValue<Guid>(), await IdsAsync(auditor, "/api/organizations?limit=200"));
        await auditor.RefusedAsync(
            HttpMethod.Post,
            "/api/organizations",
            new { name = "x" },
            HttpStatusCode.Forbidden,
            "forbidden"
        );
        await user.RefusedAsync(HttpMethod.Get, "/api/organizations", null, HttpStatusCode.Forbidden, "forbidden");
        Assert.Equal("My organization", (await user.GetJsonAsync("/api/organization"))["name"]!.GetValue<string>());
        await administrator.RefusedAsync(
            HttpMethod.Get,
            $"/api/organizations/{Guid.NewGuid()}",
            body: null,
            HttpStatusCode.NotFound,
            "identity.organization-not-found"
        );
    }

    [Fact]
    public async Task Organizations_are_listed_page_by_page()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = new List<Guid>();
        for (var i = 0; i < 3; i++)
            made.Add(
                (await administrator.PostJsonAsync("/api/organizations", new { name = $"{i}" }))["id"]!.GetValue<Guid>()
            );
        var listed = new List<Guid>();

        for (var cursor = ""; ; )
        {
            var page = await administrator.GetJsonAsync($"/api/organizations?limit=2{cursor}");
            listed.AddRange(page["data"]!.AsArray().Select(o => o!["id"]!.GetValue<Guid>()));
            if (page["nextCursor"] is null)
                break;
            cursor = $"&cursor={page["nextCursor"]}";
        }

        Assert.Equal(listed.Distinct(), listed);
        Assert.Subset(listed.ToHashSet(), made.ToHashSet());
        Assert.True(listed.IndexOf(made[2]) < listed.IndexOf(made[0]));
        await administrator.RefusedAsync(
            HttpMethod.Get,
            "/api/organizations?cursor=nonsense",
            body: null,
            HttpStatusCode.BadRequest,
            "invalid-cursor"
        );
    }

    private static async Task<List<Guid>> IdsAsync(HttpClient client, string path) =>
        [.. (await client.GetJsonAsync(path))["data"]!.AsArray().Select(o => o!["id"]!.GetValue<Guid>())];
}
