using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Contracts;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

public sealed class PeopleTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_role_and_a_suspension_take_effect_on_every_instance_within_a_second()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var ada = await host.AsNewAsync("admin", Cancellation);
        var me = await ada.GetJsonAsync("/api/me");
        var path = $"/api/users/{me["userId"]}";
        using var there = other.AsAnyone();
        there.DefaultRequestHeaders.Authorization = ada.DefaultRequestHeaders.Authorization;
        await there.GetJsonAsync("/api/audit/streams");

        var changed = await administrator.PatchJsonAsync(path, new { role = "user" }, ifMatch: "\"2\"");
        var change = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(
            ada.WithinASecondAsync("/api/audit/streams", HttpStatusCode.Forbidden, change),
            there.WithinASecondAsync("/api/audit/streams", HttpStatusCode.Forbidden, change)
        );
        var key = await ada.PostJsonAsync("/api/api-keys", new { name = "Ada's" });
        using var keyed = other.As(key["secret"]!.GetValue<string>());
        await keyed.GetJsonAsync("/v1/models");

        var suspended = await administrator.PostJsonAsync($"{path}/suspension", body: null, HttpStatusCode.OK);
        change = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(
            ada.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change),
            there.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change),
            keyed.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, change)
        );
        Assert.Equal("user", changed["role"]!.GetValue<string>());
        Assert.NotNull(suspended["suspendedAt"]);

        await administrator.PostJsonAsync($"{path}/reactivation", body: null, HttpStatusCode.OK);
        change = TimeProvider.System.GetTimestamp();
        await keyed.WithinASecondAsync("/v1/models", HttpStatusCode.OK, change);
        await ada.GetJsonAsync("/api/me");
    }

    [Fact]
    public async Task Who_is_removed_is_gone_with_keys_and_logins()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var ada = await host.AsNewAsync("user", Cancellation);
        var me = await ada.GetJsonAsync("/api/me");
        var id = me["userId"]!.GetValue<Guid>();
        var key = await ada.PostJsonAsync("/api/api-keys", new { name = "Ada's" });

        await administrator.SendJsonAsync(HttpMethod.Delete, $"/api/users/{id}", body: null, HttpStatusCode.NoContent);

        await ada.GetJsonAsync("/api/me", HttpStatusCode.Unauthorized);
        foreach (
            var (method, path) in ((HttpMethod, string)[])
                [
                    (HttpMethod.Get, $"/api/users/{id}"),
                    (HttpMethod.Delete, $"/api/users/{id}"),
                    (HttpMethod.Post, $"/api/users/{id}/suspension"),
                ]
        )
            await administrator.RefusedAsync(
                method,
                path,
                body: null,
                HttpStatusCode.NotFound,
                "identity.user-not-found"
            );
        Assert.Empty((await administrator.GetJsonAsync($"/api/users?email={me["email"]}"))["data"]!.AsArray());
        // Ended for good, not only out of effect: should the person come back, nothing of before works.
        JsonNode shown;
        do shown = await administrator.GetJsonAsync($"/api/api-keys/{key["id"]}");
        while (shown["revokedAt"] is null);
        JsonNode logins;
        do logins = await administrator.GetJsonAsync($"/api/logins?userId={id}");
        while (logins["data"]!.AsArray().Any(l => l!["endedAt"] is null));
    }

    [Fact]
    public async Task The_last_administrator_cannot_be_demoted_suspended_or_removed()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "One administrator" });
        using var alone = await EnterAsync(administrator, made);
        var path = $"/api/users/{(await alone.GetJsonAsync("/api/me"))["userId"]}";

        foreach (
            var (method, route, body) in ((HttpMethod, string, object?)[])
                [
                    (HttpMethod.Patch, path, new { role = "user" }),
                    (HttpMethod.Post, $"{path}/suspension", null),
                    (HttpMethod.Delete, path, null),
                ]
        )
            await alone.RefusedAsync(method, route, body, HttpStatusCode.Conflict, "identity.last-administrator");

        Assert.Equal("admin", (await alone.GetJsonAsync("/api/me"))["role"]!.GetValue<string>());
        // A suspended one does not count, nor does a machine.
        var second = await alone.PostJsonAsync(
            "/api/users",
            new { email = $"{Guid.NewGuid():N}@example.org", role = "admin" }
        );
        await alone.PostJsonAsync("/api/service-accounts", new { name = "bot", role = "admin" });
        await alone.PostJsonAsync($"/api/users/{second["id"]}/suspension", body: null, HttpStatusCode.OK);
        await alone.RefusedAsync(
            HttpMethod.Delete,
            path,
            body: null,
            HttpStatusCode.Conflict,
            "identity.last-administrator"
        );
        await alone.PostJsonAsync($"/api/users/{second["id"]}/reactivation", body: null, HttpStatusCode.OK);
        await alone.SendJsonAsync(HttpMethod.Delete, path, body: null, HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Of_two_who_take_the_last_administrators_away_at_once_one_is_refused()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        for (var round = 0; round < 10; round++)
        {
            var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Two administrators" });
            using var first = await EnterAsync(administrator, made);
            var firstId = (await first.GetJsonAsync("/api/me"))["userId"]!.GetValue<Guid>();
            var second = await first.PostJsonAsync(
                "/api/users",
                new { email = $"{Guid.NewGuid():N}@example.org", role = "admin" }
            );
            using var there = other.AsAnyone();
            there.DefaultRequestHeaders.Authorization = first.DefaultRequestHeaders.Authorization;

            // On one instance they meet in one batch of the log, on two in its lock.
            var answers = await Task.WhenAll(
                StatusAsync(round % 2 == 0 ? first : there, HttpMethod.Post, $"/api/users/{firstId}/suspension"),
                StatusAsync(first, HttpMethod.Delete, $"/api/users/{second["id"]}")
            );

            Assert.Single(answers, status => (int)status < 300);
            // The loser is refused by the rule, or has lost the right to ask.
            Assert.Single(answers, status => status is HttpStatusCode.Conflict or HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public async Task People_are_found_by_role_status_and_address()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var ids = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var role in (string[])["user", "viewer", "auditor"])
            ids[role] = (
                await administrator.PostJsonAsync("/api/users", new { email = $"The.{role}@example.org", role })
            )["id"]!.GetValue<Guid>();
        await administrator.PostJsonAsync($"/api/users/{ids["viewer"]}/suspension", body: null, HttpStatusCode.OK);

        Assert.Equal([ids["auditor"]], await IdsAsync("role=auditor"));
        Assert.Equal([ids["viewer"]], await IdsAsync("status=suspended"));
        Assert.Equal(3, (await IdsAsync("status=active")).Count);
        Assert.Equal([ids["user"]], await IdsAsync("email=the.USER@example.org"));
        Assert.Empty(await IdsAsync("email=nobody@example.org"));
        Assert.Empty(await IdsAsync("role=user&status=suspended"));
        var wrong = await administrator.GetJsonAsync("/api/users?role=king&status=x", HttpStatusCode.BadRequest);
        Assert.Equal(2, wrong["errors"]!.AsObject().Count);

        async Task<List<Guid>> IdsAsync(string query) =>
            [
                .. (await administrator.GetJsonAsync($"/api/users?{query}"))["data"]!
                    .AsArray()
                    .Select(u => u!["id"]!.GetValue<Guid>()),
            ];
    }

    [Fact]
    public async Task A_credential_gives_no_role_that_may_more_than_it()
    {
        using var limited = host.As(await host.CreateApiKeyAsync([Scopes.UsersWrite, Scopes.UsersRead], Cancellation));
        using var ada = await host.AsNewAsync("viewer", Cancellation);
        var id = (await ada.GetJsonAsync("/api/me"))["userId"]!.GetValue<Guid>();

        await limited.RefusedAsync(
            HttpMethod.Patch,
            $"/api/users/{id}",
            new { role = "admin" },
            HttpStatusCode.Forbidden,
            "identity.role-beyond-yours"
        );
        await limited.RefusedAsync(
            HttpMethod.Post,
            "/api/users",
            new { email = "new@example.org", role = "admin" },
            HttpStatusCode.Forbidden,
            "identity.role-beyond-yours"
        );
    }

    [Fact]
    public async Task Another_organization_s_people_do_not_exist()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var ada = await host.AsNewAsync("user", Cancellation);
        var id = (await ada.GetJsonAsync("/api/me"))["userId"]!.GetValue<Guid>();
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Elsewhere" });
        using var elsewhere = await EnterAsync(administrator, made);

        foreach (
            var (method, path, body) in ((HttpMethod, string, object?)[])
                [
                    (HttpMethod.Get, $"/api/users/{id}", null),
                    (HttpMethod.Patch, $"/api/users/{id}", new { role = "viewer" }),
                    (HttpMethod.Post, $"/api/users/{id}/suspension", null),
                    (HttpMethod.Post, $"/api/users/{id}/reactivation", null),
                    (HttpMethod.Delete, $"/api/users/{id}", null),
                ]
        )
            await elsewhere.RefusedAsync(method, path, body, HttpStatusCode.NotFound, "identity.user-not-found");
        await ada.GetJsonAsync("/api/me");
    }

    [Fact]
    public async Task A_profile_is_the_person_s_own_and_is_changed_in_the_version_that_was_seen()
    {
        using var ada = await host.AsNewAsync("viewer", Cancellation);
        var before = await ada.GetJsonAsync("/api/me");

        var changed = await ada.PatchJsonAsync(
            "/api/me",
            new
            {
                displayName = "Ada Lovelace",
                locale = "en-GB",
                timeZone = "Europe/London",
                preferences = new { theme = "dark", sizes = (int[])[1, 2] },
            },
            ifMatch: before["$etag"]!.GetValue<string>()
        );
        await ada.RefusedAsync(
            HttpMethod.Patch,
            "/api/me",
            new { displayName = "Lost" },
            HttpStatusCode.PreconditionFailed,
            "version-mismatch",
            ifMatch: before["$etag"]!.GetValue<string>()
        );
        var same = await ada.PatchJsonAsync("/api/me", new { locale = "en-GB" });
        var cleared = await ada.PatchJsonAsync("/api/me", new { displayName = "", preferences = new { } });

        Assert.Equal("{}", before["preferences"]!.ToJsonString());
        Assert.Equal("Ada Lovelace", changed["displayName"]!.GetValue<string>());
        Assert.Equal("""{"theme":"dark","sizes":[1,2]}""", changed["preferences"]!.ToJsonString());
        Assert.Equal(changed["$etag"]!.GetValue<string>(), same["$etag"]!.GetValue<string>());
        Assert.Null(cleared["displayName"]);
        Assert.Equal("Europe/London", cleared["timeZone"]!.GetValue<string>());
        Assert.Equal("{}", cleared["preferences"]!.ToJsonString());
        var wrong = await ada.PatchJsonAsync(
            "/api/me",
            new
            {
                locale = "english please",
                timeZone = "Mars/Olympus",
                preferences = new { x = new string('x', 20_000) },
            },
            HttpStatusCode.BadRequest
        );
        Assert.Equal(
            ["locale", "preferences", "timeZone"],
            wrong["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal)
        );
        await ada.PatchJsonAsync("/api/me", new { preferences = (int[])[1] }, HttpStatusCode.BadRequest);
    }

    private async Task<HttpClient> EnterAsync(HttpClient person, JsonNode organization)
    {
        var entered = await person.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = organization["id"]!.GetValue<Guid>() },
            HttpStatusCode.OK
        );
        return host.As(entered["accessToken"]!.GetValue<string>());
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var response = await client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }
}
