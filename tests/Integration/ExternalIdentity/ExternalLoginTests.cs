using System.Net;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.ExternalIdentity;

/// <summary>Logins with npm's oidc-provider, a certified OpenID Connect provider.</summary>
public sealed class ExternalLoginTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_person_becomes_a_member_comes_back_as_the_same_and_follows_the_providers_roles()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new
            {
                linkPolicy = "create",
                defaultRole = "user",
                allowedDomains = (string[])["example.org"],
                roleClaim = "groups",
                roleMappings = (object[])[new { value = "ai-auditors", role = "auditor" }],
            }
        );
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", "grace@example.org"));
        var first = await scene.LogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", "another@example.org", "ai-auditors"));
        var second = await scene.LogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("mallory", "mallory@evil.example"));
        var stranger = await scene.TryLogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("eve", "eve@example.org", isVerified: false));
        var unverified = await scene.TryLogInAsync();

        Assert.Equal("grace@example.org", first["email"]!.GetValue<string>());
        Assert.Equal("user", first["role"]!.GetValue<string>());
        Assert.Equal(first["userId"]!.GetValue<string>(), second["userId"]!.GetValue<string>());
        Assert.Equal("auditor", second["role"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.Forbidden, stranger);
        Assert.Equal(HttpStatusCode.Forbidden, unverified);
    }

    [Fact]
    public async Task A_member_is_known_by_the_verified_address_and_nobody_else_gets_in()
    {
        await using var scene = await ExternalScene.StartAsync(postgres, new { defaultRole = "user" });
        await scene.Issuer.ControlAsync(ExternalScene.Account("a", VerbatimHost.AdministratorEmail, isVerified: false));
        var unverified = await scene.TryLogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("a", VerbatimHost.AdministratorEmail));
        var member = await scene.LogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("b", "nobody@example.org"));
        var stranger = await scene.TryLogInAsync();

        Assert.Equal(HttpStatusCode.Forbidden, unverified);
        Assert.Equal(VerbatimHost.AdministratorEmail, member["email"]!.GetValue<string>());
        // Without a role claim roles are given here alone.
        Assert.Equal("admin", member["role"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.Forbidden, stranger);
    }

    [Fact]
    public async Task An_id_token_that_is_not_for_this_login_lets_nobody_in()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new { linkPolicy = "create", defaultRole = "user" }
        );
        var account = ExternalScene.Account("grace", "grace@example.org");

        var results = new Dictionary<string, HttpStatusCode>(StringComparer.Ordinal);
        foreach (
            var mode in (string[])
                [
                    "wrong-nonce",
                    "wrong-aud",
                    "wrong-iss",
                    "expired",
                    "no-subject",
                    "other-party",
                    "other-key",
                    "unknown-kid",
                    "unsigned",
                ]
        )
        {
            await scene.Issuer.ControlAsync(account, mode);
            results[mode] = await scene.TryLogInAsync();
        }
        await scene.Issuer.ControlAsync(account);
        var sound = await scene.LogInAsync();

        Assert.All(results, r => Assert.Equal((r.Key, HttpStatusCode.BadRequest), (r.Key, r.Value)));
        Assert.Equal("grace@example.org", sound["email"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_answer_counts_once_in_the_browser_that_asked_and_only_while_the_provider_is_enabled()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new { linkPolicy = "create", defaultRole = "user" }
        );
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", "grace@example.org"));
        using var browser = scene.NewBrowser();
        var callback = await scene.WalkAsync(browser);
        using var other = scene.NewBrowser();

        using var elsewhere = await other.GetAsync(callback, Cancellation);
        using var forged = await browser.GetAsync(callback + "x", Cancellation);
        using var spent = await browser.GetAsync(callback, Cancellation);
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);
        await administrator.PatchJsonAsync($"/api/identity-providers/{scene.ProviderId}", new { isEnabled = false });
        using var disabled = await other.GetAsync(scene.LoginPath, Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, elsewhere.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, spent.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, disabled.StatusCode);
    }

    [Fact]
    public async Task A_login_with_a_provider_does_not_go_on_in_another_organization()
    {
        await using var scene = await ExternalScene.StartAsync(postgres, new { defaultRole = "user" });
        await scene.Issuer.ControlAsync(ExternalScene.Account("a", VerbatimHost.AdministratorEmail));
        using var browser = scene.NewBrowser();
        using var entered = await browser.GetAsync(await scene.WalkAsync(browser), Cancellation);
        var token = await browser.GetJsonAsync("/api/auth/antiforgery");
        browser.DefaultRequestHeaders.Add("x-csrf-token", token["token"]!.GetValue<string>());
        var me = await browser.GetJsonAsync("/api/me");

        await browser.RefusedAsync(
            HttpMethod.Post,
            "/api/auth/organization",
            new { organizationId = me["organizationId"]!.GetValue<string>() },
            HttpStatusCode.Forbidden,
            "identity.not-your-own-login"
        );
    }

    [Fact]
    public async Task The_secret_is_never_shown_and_what_does_not_fit_is_refused()
    {
        await using var scene = await ExternalScene.StartAsync(postgres, new { defaultRole = "user" });
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);
        var path = $"/api/identity-providers/{scene.ProviderId}";

        var shown = await administrator.GetJsonAsync(path);
        var listed = await administrator.GetJsonAsync("/api/identity-providers");
        var stream = await administrator.GetJsonAsync($"/api/audit/streams/{scene.ProviderId}");
        await administrator.RefusedAsync(
            HttpMethod.Post,
            "/api/identity-providers",
            new
            {
                name = "x",
                issuer = "http://id.example.com",
                clientId = "x",
                clientSecret = "x",
                defaultRole = "user",
            },
            HttpStatusCode.UnprocessableEntity,
            "identity.invalid-issuer"
        );
        await administrator.RefusedAsync(
            HttpMethod.Post,
            "/api/identity-providers",
            new
            {
                name = "x",
                issuer = "https://id.example.com",
                clientId = "x",
                clientSecret = "x",
            },
            HttpStatusCode.UnprocessableEntity,
            "identity.no-role"
        );
        await administrator.SendJsonAsync(HttpMethod.Delete, path, body: null, HttpStatusCode.NoContent);
        using var gone = await administrator.GetAsync(new Uri(scene.LoginPath, UriKind.Relative), Cancellation);

        foreach (var text in (string[])[shown.ToJsonString(), listed.ToJsonString(), stream.ToJsonString()])
            Assert.DoesNotContain(NodeIssuer.ClientSecret, text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task The_api_takes_the_providers_tokens_for_it_of_people_it_knows_until_the_provider_is_disabled()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new
            {
                linkPolicy = "create",
                defaultRole = "user",
                apiAudience = "verbatim-api",
            }
        );
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", "grace@example.org"));
        var grace = await scene.LogInAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var sound = await scene.Issuer.MintAsync(
            new
            {
                sub = "grace",
                aud = "verbatim-api",
                iat = now,
                exp = now + 600,
            }
        );
        var bad = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["audience"] = await scene.Issuer.MintAsync(
                new
                {
                    sub = "grace",
                    aud = NodeIssuer.ClientId,
                    iat = now,
                    exp = now + 600,
                }
            ),
            ["expired"] = await scene.Issuer.MintAsync(
                new
                {
                    sub = "grace",
                    aud = "verbatim-api",
                    iat = now - 600,
                    exp = now - 1,
                }
            ),
            ["endless"] = await scene.Issuer.MintAsync(
                new
                {
                    sub = "grace",
                    aud = "verbatim-api",
                    iat = now,
                }
            ),
            ["early"] = await scene.Issuer.MintAsync(
                new
                {
                    sub = "grace",
                    aud = "verbatim-api",
                    iat = now,
                    nbf = now + 300,
                    exp = now + 600,
                }
            ),
            ["stranger"] = await scene.Issuer.MintAsync(
                new
                {
                    sub = "eve",
                    aud = "verbatim-api",
                    iat = now,
                    exp = now + 600,
                }
            ),
            ["issuer"] = await scene.Issuer.MintAsync(
                new
                {
                    iss = "https://evil.example",
                    sub = "grace",
                    aud = "verbatim-api",
                    iat = now,
                    exp = now + 600,
                }
            ),
            ["changed"] = sound[..^6] + "AAAAAA",
        };
        await using var second = await VerbatimHost.StartAsync(scene.Host.ConnectionString);
        using var caller = scene.Host.As(sound);
        using var elsewhere = second.As(sound);
        var me = await caller.GetJsonAsync("/api/me");
        await elsewhere.GetJsonAsync("/api/me");
        foreach (var (why, token) in bad)
        {
            using var client = scene.Host.As(token);
            using var refused = await client.GetAsync(new Uri("/api/me", UriKind.Relative), Cancellation);
            Assert.Equal((why, HttpStatusCode.Unauthorized), (why, refused.StatusCode));
        }
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);
        await administrator.PatchJsonAsync($"/api/identity-providers/{scene.ProviderId}", new { isEnabled = false });
        var change = TimeProvider.System.GetTimestamp();

        Assert.Equal(grace["userId"]!.GetValue<string>(), me["userId"]!.GetValue<string>());
        await caller.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change);
        await elsewhere.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, change);
    }
}
