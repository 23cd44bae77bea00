using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.OAuth;

public sealed class TokenTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_code_becomes_tokens_that_say_who_where_and_how()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

        var (response, body) = await dance.ExchangeAsync(await dance.CodeAsync());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.Equal("Bearer", body["token_type"]!.GetValue<string>());
        Assert.Equal(900, body["expires_in"]!.GetValue<int>());
        Assert.Equal("account:read email openid profile", SortedScope(body));
        var access = Jwt.ClaimsOf(body["access_token"]!.GetValue<string>());
        var id = Jwt.ClaimsOf(body["id_token"]!.GetValue<string>());
        Assert.Equal("JWT", Jwt.HeaderOf(body["id_token"]!.GetValue<string>())["typ"]!.GetValue<string>());
        Assert.Equal(dance.ClientId, access["client_id"]!.GetValue<string>());
        Assert.Equal(dance.ClientId, id["aud"]!.GetValue<string>());
        Assert.Equal(host.Address.GetLeftPart(UriPartial.Authority), id["iss"]!.GetValue<string>());
        Assert.Equal("n-0S6_WzA2Mj", id["nonce"]!.GetValue<string>());
        Assert.Equal("urn:verbatim:acr:single-factor", id["acr"]!.GetValue<string>());
        Assert.Equal("pwd", id["amr"]!.AsArray().Single()!.GetValue<string>());
        Assert.InRange(id["auth_time"]!.GetValue<long>(), before - 120, before + 5);
        foreach (var claim in (string[])["sub", "sid", "org_id"])
            Assert.Equal(access[claim]!.GetValue<string>(), id[claim]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.OK, await dance.StatusOfMeAsync(body["access_token"]!.GetValue<string>()));
        // An ID token is no access token, though the same key has signed it.
        Assert.Equal(HttpStatusCode.Unauthorized, await dance.StatusOfMeAsync(body["id_token"]!.GetValue<string>()));
    }

    [Fact]
    public async Task An_application_does_what_was_granted_and_no_more()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var (_, body) = await dance.ExchangeAsync(await dance.CodeAsync());
        using var application = host.As(body["access_token"]!.GetValue<string>());

        using var models = await application.GetAsync(new Uri("/v1/models", UriKind.Relative), Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, models.StatusCode);
    }

    [Fact]
    public async Task A_code_that_comes_twice_ends_what_came_of_it()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var code = await dance.CodeAsync();
        var (_, body) = await dance.ExchangeAsync(code);
        var token = body["access_token"]!.GetValue<string>();
        Assert.Equal(HttpStatusCode.OK, await dance.StatusOfMeAsync(token));

        OAuthDance.AssertError(await dance.ExchangeAsync(code), "invalid_grant");

        Assert.Equal(HttpStatusCode.Unauthorized, await dance.StatusOfMeAsync(token));
        OAuthDance.AssertError(
            await dance.PostAsync(
                "/oauth/token",
                [("grant_type", "refresh_token"), ("refresh_token", body["refresh_token"]!.GetValue<string>())]
            ),
            "invalid_grant"
        );
    }

    [Fact]
    public async Task Of_many_who_bring_a_code_at_once_at_most_one_gets_tokens_and_they_do_not_last()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var code = await dance.CodeAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => dance.ExchangeAsync(code)));

        var winners = answers.Where(a => a.Response.StatusCode == HttpStatusCode.OK).ToList();
        var (_, body) = Assert.Single(winners);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await dance.StatusOfMeAsync(body["access_token"]!.GetValue<string>())
        );
    }

    [Fact]
    public async Task A_code_is_for_one_client_one_address_and_one_proof()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var other = await OAuthDance.StartAsync(host);
        var code = await dance.CodeAsync();

        OAuthDance.AssertError(await other.ExchangeAsync(code), "invalid_grant");
        OAuthDance.AssertError(await dance.ExchangeAsync(code, verifier: new string('x', 43)), "invalid_grant");
        OAuthDance.AssertError(
            await dance.ExchangeAsync(code, redirectUri: "http://127.0.0.1/callback"),
            "invalid_grant"
        );
        OAuthDance.AssertError(await dance.ExchangeAsync(code + "x"), "invalid_grant");
        OAuthDance.AssertError(
            await dance.PostAsync(
                "/oauth/token",
                [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", OAuthDance.RedirectUri)]
            ),
            "invalid_request"
        );
        Assert.Equal(HttpStatusCode.OK, (await dance.ExchangeAsync(code)).Response.StatusCode);
    }

    [Fact]
    public async Task A_public_client_on_a_loopback_port_gets_tokens_with_its_proof_alone()
    {
        using var dance = await OAuthDance.StartAsync(host, new { tokenEndpointAuthMethod = "none" });
        const string address = "http://127.0.0.1:51234/callback";

        var code = await dance.CodeAsync(("redirect_uri", address));
        var (response, _) = await dance.ExchangeAsync(code, redirectUri: address);

        Assert.Null(dance.Secret);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_refresh_token_works_once_and_a_second_use_ends_the_family()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var other = await OAuthDance.StartAsync(host);
        var first = (await dance.ExchangeAsync(await dance.CodeAsync())).Body["refresh_token"]!.GetValue<string>();

        OAuthDance.AssertError(await RefreshAsync(other, first), "invalid_grant");
        OAuthDance.AssertError(await RefreshAsync(dance, first, "openid users:write"), "invalid_scope");
        var (response, second) = await RefreshAsync(dance, first, "openid account:read");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("account:read openid", SortedScope(second));
        var (_, third) = await RefreshAsync(dance, second["refresh_token"]!.GetValue<string>());
        // All that was granted is still there for a client that asks for it again.
        Assert.Equal("account:read email openid profile", SortedScope(third));
        OAuthDance.AssertError(await RefreshAsync(dance, first), "invalid_grant");

        OAuthDance.AssertError(await RefreshAsync(dance, third["refresh_token"]!.GetValue<string>()), "invalid_grant");
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await dance.StatusOfMeAsync(third["access_token"]!.GetValue<string>())
        );
    }

    [Fact]
    public async Task A_client_acts_for_itself_as_its_role_may_and_gives_its_token_back()
    {
        using var dance = await OAuthDance.StartAsync(
            host,
            new
            {
                grantTypes = (string[])["client_credentials"],
                redirectUris = Array.Empty<string>(),
                scopes = (string[])["models:read", "users:read"],
                role = "user",
            }
        );

        var (response, body) = await dance.PostAsync("/oauth/token", [("grant_type", "client_credentials")]);
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("grant_type", "client_credentials"), ("scope", "audit:read")]),
            "invalid_scope"
        );
        var token = body["access_token"]!.GetValue<string>();
        using var client = host.As(token);
        await client.WithinASecondAsync("/v1/models", HttpStatusCode.OK, TimeProvider.System.GetTimestamp());
        var (revoked, _) = await dance.PostAsync("/oauth/revoke", [("token", token)]);
        await client.WithinASecondAsync("/v1/models", HttpStatusCode.Unauthorized, TimeProvider.System.GetTimestamp());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("models:read", body["scope"]!.GetValue<string>());
        Assert.Null(body["refresh_token"]);
        Assert.Equal(dance.ClientId, Jwt.ClaimsOf(token)["sub"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
    }

    [Fact]
    public async Task Each_mistake_at_the_token_endpoint_has_the_protocols_code()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var post = await OAuthDance.StartAsync(host, new { tokenEndpointAuthMethod = "client_secret_post" });
        using var publicClient = await OAuthDance.StartAsync(host, new { tokenEndpointAuthMethod = "none" });

        OAuthDance.AssertError(await dance.PostAsync("/oauth/token", []), "invalid_request");
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("grant_type", "password")]),
            "unsupported_grant_type"
        );
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("grant_type", "client_credentials")]),
            "unauthorized_client"
        );
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("grant_type", "refresh_token"), ("grant_type", "refresh_token")]),
            "invalid_request"
        );
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("grant_type", "refresh_token"), ("client_secret", "x")]),
            "invalid_request"
        );
        OAuthDance.AssertError(
            await dance.PostAsync(
                "/oauth/token",
                [("client_id", dance.ClientId), ("client_secret", dance.Secret!)],
                isBasic: false
            ),
            "invalid_client",
            HttpStatusCode.Unauthorized
        );
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("client_id", dance.ClientId)], isBasic: false),
            "invalid_client",
            HttpStatusCode.Unauthorized
        );
        OAuthDance.AssertError(
            await post.PostAsync(
                "/oauth/token",
                [("client_id", post.ClientId), ("client_secret", "vcs_wrong")],
                isBasic: false
            ),
            "invalid_client",
            HttpStatusCode.Unauthorized
        );
        OAuthDance.AssertError(
            await post.PostAsync(
                "/oauth/token",
                [("client_id", post.ClientId), ("client_secret", post.Secret!)],
                isBasic: false
            ),
            "invalid_request"
        );
        OAuthDance.AssertError(
            await publicClient.PostAsync("/oauth/introspect", [("token", "x")]),
            "invalid_client",
            HttpStatusCode.Unauthorized
        );
        using var json = new StringContent("{}", Encoding.UTF8, "application/json");
        using var anyone = host.AsAnyone();
        using var refused = await anyone.PostAsync(new Uri("/oauth/token", UriKind.Relative), json, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains(
            "invalid_request",
            await refused.Content.ReadAsStringAsync(Cancellation),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_rotated_secret_works_beside_the_old_one_for_as_long_as_was_chosen()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var path = $"/api/oauth-clients/{dance.ClientId}/secrets";

        var rotated = await administrator.PostJsonAsync(path, new { graceSeconds = 3600 }, HttpStatusCode.OK);
        OAuthDance.AssertError(await dance.PostAsync("/oauth/token", []), "invalid_request");
        await administrator.PostJsonAsync(path, new { graceSeconds = 0 }, HttpStatusCode.OK);

        Assert.StartsWith("vcs_", rotated["secret"]!.GetValue<string>(), StringComparison.Ordinal);
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", []),
            "invalid_client",
            HttpStatusCode.Unauthorized
        );
    }

    [Fact]
    public async Task Userinfo_tells_what_was_granted_and_its_errors_stand_in_the_header()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var (_, all) = await dance.ExchangeAsync(await dance.CodeAsync());
        var (_, bare) = await dance.ExchangeAsync(await dance.CodeAsync(("scope", "openid")));
        var (_, none) = await dance.ExchangeAsync(await dance.CodeAsync(("scope", "account:read")));

        var (status, _, person) = await UserInfoAsync(all["access_token"]!.GetValue<string>(), HttpMethod.Get);
        var (_, _, posted) = await UserInfoAsync(all["access_token"]!.GetValue<string>(), HttpMethod.Post);
        var (_, _, little) = await UserInfoAsync(bare["access_token"]!.GetValue<string>(), HttpMethod.Get);
        var forbidden = await UserInfoAsync(none["access_token"]!.GetValue<string>(), HttpMethod.Get);
        var wrong = await UserInfoAsync("nonsense", HttpMethod.Get);
        var nobody = await UserInfoAsync(null, HttpMethod.Get);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(VerbatimHost.AdministratorEmail, person["email"]!.GetValue<string>());
        Assert.Equal("admin", person["roles"]!.AsArray().Single()!.GetValue<string>());
        Assert.True(JsonNode.DeepEquals(person, posted));
        Assert.Equal(["org_id", "sub"], little.Select(c => c.Key).Order(StringComparer.Ordinal));
        Assert.Null(none["id_token"]);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.Status);
        Assert.Contains("error=\"insufficient_scope\"", forbidden.Challenge, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
        Assert.Contains("error=\"invalid_token\"", wrong.Challenge, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (nobody.Status, nobody.Challenge));
    }

    [Fact]
    public async Task Introspection_tells_its_own_organization_and_revocation_ends_the_login()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var other = await OAuthDance.StartAsync(host);
        var (_, tokens) = await dance.ExchangeAsync(await dance.CodeAsync());
        var access = tokens["access_token"]!.GetValue<string>();
        var refresh = tokens["refresh_token"]!.GetValue<string>();

        var (_, active) = await other.PostAsync("/oauth/introspect", [("token", access)]);
        var (_, own) = await dance.PostAsync("/oauth/introspect", [("token", refresh)]);
        var (_, foreign) = await other.PostAsync("/oauth/introspect", [("token", refresh)]);
        var (_, nonsense) = await dance.PostAsync("/oauth/introspect", [("token", "nonsense")]);
        OAuthDance.AssertError(await dance.PostAsync("/oauth/introspect", []), "invalid_request");
        OAuthDance.AssertError(await other.PostAsync("/oauth/revoke", [("token", refresh)]), "invalid_grant");
        OAuthDance.AssertError(await other.PostAsync("/oauth/revoke", [("token", access)]), "invalid_grant");
        var (unknown, _) = await dance.PostAsync("/oauth/revoke", [("token", "nonsense")]);
        var (revoked, _) = await dance.PostAsync("/oauth/revoke", [("token", refresh)]);
        var (_, after) = await dance.PostAsync("/oauth/introspect", [("token", access)]);

        Assert.True(active["active"]!.GetValue<bool>());
        Assert.Equal(dance.ClientId, active["client_id"]!.GetValue<string>());
        Assert.Equal("Bearer", active["token_type"]!.GetValue<string>());
        Assert.True(own["active"]!.GetValue<bool>());
        Assert.Equal("""{"active":false}""", foreign.ToJsonString());
        Assert.Equal("""{"active":false}""", nonsense.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, unknown.StatusCode);
        Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
        Assert.Equal("""{"active":false}""", after.ToJsonString());
        Assert.Equal(HttpStatusCode.Unauthorized, await dance.StatusOfMeAsync(access));
    }

    [Fact]
    public async Task A_client_of_another_organization_learns_nothing_of_a_token_and_does_nothing_to_it()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var elsewhere = await OAuthDance.EnterNewOrganizationAsync(host);
        using var foreign = await OAuthDance.StartAsync(host, elsewhere);
        var (_, tokens) = await dance.ExchangeAsync(await dance.CodeAsync());
        var access = tokens["access_token"]!.GetValue<string>();
        var refresh = tokens["refresh_token"]!.GetValue<string>();

        foreach (var token in (string[])[access, refresh, "nonsense"])
        {
            var (asked, answer) = await foreign.PostAsync("/oauth/introspect", [("token", token)]);
            var (revoked, nothing) = await foreign.PostAsync("/oauth/revoke", [("token", token)]);

            Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
            Assert.Equal("""{"active":false}""", answer.ToJsonString());
            Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
            Assert.Empty(nothing);
        }
        var (_, still) = await dance.PostAsync("/oauth/introspect", [("token", access)]);
        var (_, refreshed) = await RefreshAsync(dance, refresh);

        Assert.True(still["active"]!.GetValue<bool>());
        Assert.NotNull(refreshed["access_token"]);
        Assert.Equal(HttpStatusCode.OK, await dance.StatusOfMeAsync(access));
    }

    private static Task<(HttpResponseMessage Response, JsonObject Body)> RefreshAsync(
        OAuthDance dance,
        string token,
        string? scope = null
    ) =>
        dance.PostAsync(
            "/oauth/token",
            [
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                .. scope is null ? Array.Empty<(string, string)>() : [("scope", scope)],
            ]
        );

    private async Task<(HttpStatusCode Status, string Challenge, JsonObject Body)> UserInfoAsync(
        string? token,
        HttpMethod method
    )
    {
        using var client = host.AsAnyone();
        using var request = new HttpRequestMessage(method, "/oauth/userinfo");
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await client.SendAsync(request, Cancellation);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!.AsObject();
        return (response.StatusCode, response.Headers.WwwAuthenticate.ToString(), body);
    }

    private static string SortedScope(JsonObject tokens) =>
        string.Join(' ', tokens["scope"]!.GetValue<string>().Split(' ').Order(StringComparer.Ordinal));
}
