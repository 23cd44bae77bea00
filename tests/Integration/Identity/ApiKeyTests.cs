using System.Net;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

public sealed class ApiKeyTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_shows_what_it_was_made_with_and_when_it_was_used_last()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var project = Guid.NewGuid();
        var made = await administrator.PostJsonAsync(
            "/api/api-keys",
            new
            {
                name = "A key",
                scopes = (string[])[Scopes.ModelsRead],
                projectId = project,
                allowedAddresses = (string[])["127.0.0.0/8", "2001:db8::/32"],
            }
        );
        var path = $"/api/api-keys/{made["id"]}";
        var unused = await administrator.GetJsonAsync(path);
        using var keyed = host.As(made["secret"]!.GetValue<string>());

        await keyed.GetJsonAsync("/v1/models");

        Assert.Equal(project, unused["projectId"]!.GetValue<Guid>());
        Assert.Equal("user", unused["principalKind"]!.GetValue<string>());
        Assert.Equal(
            ["127.0.0.0/8", "2001:db8::/32"],
            unused["allowedAddresses"]!.AsArray().Select(a => a!.GetValue<string>())
        );
        Assert.Null(unused["lastUsedAt"]);
        Assert.Equal("\"1\"", unused["$etag"]!.GetValue<string>());
        var used = unused;
        while (used["lastUsedAt"] is null)
        {
            await Task.Delay(100, Cancellation);
            used = await administrator.GetJsonAsync(path);
        }
        Assert.InRange(
            used["lastUsedAt"]!.GetValue<DateTimeOffset>(),
            made["createdAt"]?.GetValue<DateTimeOffset>() ?? DateTimeOffset.UtcNow.AddMinutes(-5),
            DateTimeOffset.UtcNow
        );
        // Being used is no event, and changes no version.
        Assert.Equal("\"1\"", used["$etag"]!.GetValue<string>());
    }

    [Fact]
    public async Task Many_uses_are_written_once_a_minute()
    {
        var id = await CreateAsync(await host.AsAdministratorAsync(Cancellation), "busy");
        using var keyed = host.As(id.Secret);
        await keyed.GetJsonAsync("/v1/models");
        while (await LastUsedAsync(id.Id) is null)
            await Task.Delay(50, Cancellation);
        var first = await LastUsedAsync(id.Id);

        for (var i = 0; i < 60; i++)
        {
            await keyed.GetJsonAsync("/v1/models");
            await Task.Delay(50, Cancellation);
        }

        Assert.Equal(first, await LastUsedAsync(id.Id));
    }

    [Fact]
    public async Task A_key_is_refused_from_an_address_that_it_is_not_bound_to()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (id, secret) = await CreateAsync(administrator, "bound", ["127.0.0.1", "10.0.0.0/8"]);
        using var keyed = host.As(secret);
        await keyed.GetJsonAsync("/v1/models");

        var changed = await administrator.PatchJsonAsync(
            $"/api/api-keys/{id}",
            new { allowedAddresses = (string[])["10.0.0.0/8", "2001:db8::/32"] }
        );

        var denied = await keyed.GetJsonAsync("/api/api-keys", HttpStatusCode.Forbidden);
        Assert.Equal("identity.address-not-allowed", denied["code"]!.GetValue<string>());
        Assert.DoesNotContain("10.0.0.0", denied.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", denied.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("\"2\"", changed["$etag"]!.GetValue<string>());
        // The wire's own way to say it.
        using (var wire = await keyed.GetAsync(new Uri("/v1/models", UriKind.Relative), Cancellation))
        {
            Assert.Equal(HttpStatusCode.Forbidden, wire.StatusCode);
            Assert.Contains(
                "does not work from the address",
                await wire.Content.ReadAsStringAsync(Cancellation),
                StringComparison.Ordinal
            );
        }
        await administrator.PatchJsonAsync($"/api/api-keys/{id}", new { allowedAddresses = Array.Empty<string>() });
        await keyed.GetJsonAsync("/v1/models");
    }

    [Theory]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.1")]
    [InlineData("010.0.0.1")]
    [InlineData("everywhere")]
    [InlineData("fe80::1%eth0")]
    [InlineData("2001:db8::1/32")]
    [InlineData("::ffff:10.0.0.0/90")]
    [InlineData("")]
    public async Task What_is_no_network_is_told_with_its_field(string range)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        var problem = await administrator.PostJsonAsync(
            "/api/api-keys",
            new { name = "x", allowedAddresses = (string[])[range] },
            HttpStatusCode.BadRequest
        );

        Assert.Equal("validation-failed", problem["code"]!.GetValue<string>());
        Assert.NotNull(problem["errors"]!["allowedAddresses"]);
    }

    [Fact]
    public async Task A_key_is_changed_only_in_the_version_that_was_seen()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (id, secret) = await CreateAsync(administrator, "before");
        var path = $"/api/api-keys/{id}";
        using var keyed = host.As(secret);
        await keyed.GetJsonAsync("/v1/models");

        var changed = await administrator.PatchJsonAsync(
            path,
            new
            {
                name = "after",
                scopes = (string[])[Scopes.AccountRead],
                expiresAt = DateTimeOffset.UtcNow.AddDays(1),
            },
            ifMatch: "\"1\""
        );
        await administrator.RefusedAsync(
            HttpMethod.Patch,
            path,
            new { name = "lost" },
            HttpStatusCode.PreconditionFailed,
            "version-mismatch",
            ifMatch: "\"1\""
        );
        var endless = await administrator.PatchJsonAsync(path, new { neverExpires = true }, ifMatch: "\"2\"");
        var same = await administrator.PatchJsonAsync(path, new { name = "after" });

        Assert.Equal("after", changed["name"]!.GetValue<string>());
        Assert.NotNull(changed["expiresAt"]);
        Assert.Null(endless["expiresAt"]);
        Assert.Equal("\"3\"", same["$etag"]!.GetValue<string>());
        using var refused = await keyed.GetAsync(new Uri("/v1/models", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        await keyed.GetJsonAsync("/api/me");
    }

    [Fact]
    public async Task A_user_has_keys_of_their_own_and_sees_no_others()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var ada = await host.AsNewAsync("user", Cancellation);
        using var bob = await host.AsNewAsync("user", Cancellation);
        var (ofAdmin, _) = await CreateAsync(administrator, "the administrator's");
        var (ofAda, secret) = await CreateAsync(ada, "Ada's");

        await ada.RefusedAsync(
            HttpMethod.Post,
            "/api/api-keys",
            new { name = "more", scopes = (string[])[Scopes.AuditRead] },
            HttpStatusCode.Forbidden,
            "identity.scope-beyond-yours"
        );
        foreach (var id in (Guid[])[ofAdmin, ofAda])
        {
            foreach (
                var (method, path, body) in ((HttpMethod, string, object?)[])
                    [
                        (HttpMethod.Get, $"/api/api-keys/{id}", null),
                        (HttpMethod.Patch, $"/api/api-keys/{id}", new { name = "mine" }),
                        (HttpMethod.Post, $"/api/api-keys/{id}/rotations", new { }),
                        (HttpMethod.Post, $"/api/api-keys/{id}/rotations/end", null),
                        (HttpMethod.Delete, $"/api/api-keys/{id}", null),
                    ]
            )
                await bob.RefusedAsync(method, path, body, HttpStatusCode.NotFound, "identity.api-key-not-found");
        }

        Assert.Empty((await bob.GetJsonAsync("/api/api-keys"))["data"]!.AsArray());
        Assert.Equal([ofAda], await IdsAsync(ada, "/api/api-keys"));
        var all = await IdsAsync(administrator, "/api/api-keys?limit=200");
        Assert.Contains(ofAda, all);
        Assert.Contains(ofAdmin, all);
        // The administrator may narrow and revoke it, but not speak in Ada's name.
        await administrator.PatchJsonAsync($"/api/api-keys/{ofAda}", new { scopes = (string[])[Scopes.ModelsRead] });
        await administrator.RefusedAsync(
            HttpMethod.Post,
            $"/api/api-keys/{ofAda}/rotations",
            new { },
            HttpStatusCode.Forbidden,
            "identity.not-your-api-key"
        );
        using var keyed = host.As(secret);
        await keyed.GetJsonAsync("/v1/models");
        await administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/api-keys/{ofAda}",
            body: null,
            HttpStatusCode.NoContent
        );
        await keyed.GetJsonAsync("/v1/models", HttpStatusCode.Unauthorized);
        await ada.RefusedAsync(
            HttpMethod.Patch,
            $"/api/api-keys/{ofAda}",
            new { name = "again" },
            HttpStatusCode.Conflict,
            "identity.api-key-ended"
        );
    }

    [Fact]
    public async Task A_key_gives_away_nothing_that_it_does_not_have()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var (_, secret) = await CreateAsync(
            administrator,
            "a small one",
            scopes: [Scopes.ApiKeysWrite, Scopes.ModelsRead]
        );
        var (broad, _) = await CreateAsync(administrator, "a broad one", scopes: Scopes.All);
        using var small = host.As(secret);

        await small.RefusedAsync(
            HttpMethod.Post,
            "/api/api-keys",
            new { name = "x", scopes = (string[])[Scopes.UsersWrite] },
            HttpStatusCode.Forbidden,
            "identity.scope-beyond-yours"
        );
        await small.RefusedAsync(
            HttpMethod.Post,
            $"/api/api-keys/{broad}/rotations",
            new { graceSeconds = 0 },
            HttpStatusCode.Forbidden,
            "identity.scope-beyond-yours"
        );
        var (narrow, _) = await CreateAsync(small, "a narrow one", scopes: [Scopes.ModelsRead]);
        await small.RefusedAsync(
            HttpMethod.Patch,
            $"/api/api-keys/{narrow}",
            new { scopes = (string[])[Scopes.ModelsRead, Scopes.AuditRead] },
            HttpStatusCode.Forbidden,
            "identity.scope-beyond-yours"
        );
    }

    [Fact]
    public async Task Lists_are_filtered_and_paged()
    {
        using var ada = await host.AsNewAsync("user", Cancellation);
        var me = (await ada.GetJsonAsync("/api/me"))["userId"]!.GetValue<Guid>();
        var project = Guid.NewGuid();
        var made = new List<Guid>();
        for (var i = 0; i < 5; i++)
            made.Add(
                (
                    await ada.PostJsonAsync(
                        "/api/api-keys",
                        new { name = $"{i}", projectId = i % 2 == 0 ? project : (Guid?)null }
                    )
                )["id"]!.GetValue<Guid>()
            );
        await ada.SendJsonAsync(HttpMethod.Delete, $"/api/api-keys/{made[0]}", body: null, HttpStatusCode.NoContent);
        made.Reverse();
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        Assert.Equal(made, await IdsAsync(administrator, $"/api/api-keys?principalId={me}"));
        Assert.Equal([made[0], made[2], made[4]], await IdsAsync(administrator, $"/api/api-keys?projectId={project}"));
        Assert.Equal(made[..4], await IdsAsync(administrator, $"/api/api-keys?principalId={me}&active=true"));
        Assert.Equal([made[4]], await IdsAsync(administrator, $"/api/api-keys?principalId={me}&active=false"));
        Assert.Equal(
            [made[0], made[2]],
            await IdsAsync(administrator, $"/api/api-keys?projectId={project}&active=true")
        );
        var first = await administrator.GetJsonAsync($"/api/api-keys?principalId={me}&limit=2");
        var second = await administrator.GetJsonAsync(
            $"/api/api-keys?principalId={me}&limit=3&cursor={first["nextCursor"]}"
        );
        Assert.Equal(
            made,
            first["data"]!.AsArray().Concat(second["data"]!.AsArray()).Select(k => k!["id"]!.GetValue<Guid>())
        );
        Assert.Null(second["nextCursor"]);
        var wrong = await administrator.GetJsonAsync(
            "/api/api-keys?principalId=me&active=perhaps",
            HttpStatusCode.BadRequest
        );
        Assert.Equal(2, wrong["errors"]!.AsObject().Count);
        Assert.Empty(await IdsAsync(ada, $"/api/api-keys?principalId={Guid.NewGuid()}"));
    }

    private static async Task<(Guid Id, string Secret)> CreateAsync(
        HttpClient client,
        string name,
        IReadOnlyList<string>? addresses = null,
        IReadOnlyList<string>? scopes = null
    )
    {
        var made = await client.PostJsonAsync(
            "/api/api-keys",
            new
            {
                name,
                scopes,
                allowedAddresses = addresses,
            }
        );
        return (made["id"]!.GetValue<Guid>(), made["secret"]!.GetValue<string>());
    }

    private static async Task<List<Guid>> IdsAsync(HttpClient client, string path) =>
        [.. (await client.GetJsonAsync(path))["data"]!.AsArray().Select(k => k!["id"]!.GetValue<Guid>())];

    private async Task<DateTime?> LastUsedAsync(Guid id)
    {
        await using var connection = new NpgsqlConnection(host.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "select last_used_at from identity.api_key_uses where api_key_id = $1",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (DateTime?)await command.ExecuteScalarAsync(Cancellation);
    }
}
