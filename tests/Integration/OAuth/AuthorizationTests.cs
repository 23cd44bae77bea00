using System.Net;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.OAuth;

public sealed class AuthorizationTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_agrees_once_and_the_answer_names_its_issuer()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var page = await dance.AuthorizeAsync();
        var html = await page.Content.ReadAsStringAsync(Cancellation);
        using var agreed = await dance.AnswerAsync(page, "allow");
        using var again = await dance.AuthorizeAsync();
        using var more = await dance.AuthorizeAsync(("scope", "openid models:read"));
        using var asked = await dance.AuthorizeAsync(("prompt", "consent"));

        Assert.Contains("The intranet", html, StringComparison.Ordinal);
        Assert.Contains(
            "frame-ancestors 'none'",
            page.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        var answer = OAuthDance.Parameters(agreed);
        Assert.StartsWith(
            OAuthDance.RedirectUri + "?code=",
            agreed.Headers.Location!.ToString(),
            StringComparison.Ordinal
        );
        Assert.Equal("the state&=", answer["state"]);
        Assert.Equal(host.Address.GetLeftPart(UriPartial.Authority), answer["iss"]);
        Assert.Equal("no-store", agreed.Headers.CacheControl!.ToString());
        Assert.Contains("code", OAuthDance.Parameters(again).Keys);
        Assert.Equal(HttpStatusCode.OK, more.StatusCode);
        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
    }

    [Fact]
    public async Task What_a_person_denies_is_denied_and_asked_again()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var page = await dance.AuthorizeAsync();
        using var denied = await dance.AnswerAsync(page, "deny");
        using var again = await dance.AuthorizeAsync();

        Assert.Equal("access_denied", OAuthDance.Parameters(denied)["error"]);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_consent_form_without_the_pages_own_token_agrees_to_nothing()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var form = new FormUrlEncodedContent([
            KeyValuePair.Create("request", dance.AuthorizeUrl()["/oauth/authorize".Length..]),
            KeyValuePair.Create("answer", "allow"),
        ]);

        using var forged = await dance.Browser.PostAsync(
            new Uri("/oauth/consent", UriKind.Relative),
            form,
            Cancellation
        );

        Assert.Equal(HttpStatusCode.SeeOther, forged.StatusCode);
        Assert.StartsWith("/login?", forged.Headers.Location!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("client_id", null)]
    [InlineData("client_id", "0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77")]
    [InlineData("client_id", "no-id")]
    [InlineData("redirect_uri", null)]
    [InlineData("redirect_uri", "https://evil.example/callback")]
    [InlineData("redirect_uri", "https://app.example.com/callback/")]
    [InlineData("redirect_uri", "http://127.0.0.1:99999/callback")]
    public async Task What_may_be_an_attackers_address_is_answered_with_a_page_and_never_a_redirect(
        string name,
        string? value
    )
    {
        using var dance = await OAuthDance.StartAsync(host);

        using var page = await dance.AuthorizeAsync((name, value));

        Assert.Equal(HttpStatusCode.BadRequest, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Null(page.Headers.Location);
    }

    [Theory]
    [InlineData("response_type", null, "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_mode", "fragment", "invalid_request")]
    [InlineData("code_challenge", null, "invalid_request")]
    [InlineData("code_challenge", "short", "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    [InlineData("code_challenge_method", null, "invalid_request")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("scope", "openid  email", "invalid_scope")]
    [InlineData("scope", "openid users:write", "invalid_scope")]
    [InlineData("prompt", "none login", "invalid_request")]
    [InlineData("prompt", "select_account", "invalid_request")]
    [InlineData("prompt", "none", "consent_required")]
    [InlineData("max_age", "-1", "invalid_request")]
    [InlineData("request", "eyJ", "request_not_supported")]
    [InlineData("request_uri", "https://a.example/", "request_uri_not_supported")]
    [InlineData("registration", "{}", "registration_not_supported")]
    public async Task Any_other_error_goes_back_to_the_client_with_state_and_issuer(
        string name,
        string? value,
        string error
    )
    {
        using var dance = await OAuthDance.StartAsync(host);

        using var refused = await dance.AuthorizeAsync((name, value));

        var answer = OAuthDance.Parameters(refused);
        Assert.Equal(error, answer["error"]);
        Assert.Equal("the state&=", answer["state"]);
        Assert.Equal(host.Address.GetLeftPart(UriPartial.Authority), answer["iss"]);
        Assert.DoesNotContain("code", answer.Keys);
    }

    [Fact]
    public async Task A_parameter_that_comes_twice_is_an_invalid_request()
    {
        using var dance = await OAuthDance.StartAsync(host);

        using var twice = await dance.Browser.GetAsync(dance.AuthorizeUrl() + "&nonce=another", Cancellation);
        using var redirects = await dance.Browser.GetAsync(
            dance.AuthorizeUrl() + "&redirect_uri=https%3A%2F%2Fevil.example%2F",
            Cancellation
        );

        Assert.Equal("invalid_request", OAuthDance.Parameters(twice)["error"]);
        Assert.Equal(HttpStatusCode.BadRequest, redirects.StatusCode);
    }

    [Fact]
    public async Task Who_is_not_logged_in_is_sent_to_the_form_and_comes_back()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var stranger = host.AsAnyone();

        using var sent = await stranger.GetAsync(dance.AuthorizeUrl(), Cancellation);
        using var silent = await stranger.GetAsync(dance.AuthorizeUrl(("prompt", "none")), Cancellation);

        Assert.StartsWith(
            "/login?returnTo=%2Foauth%2Fauthorize%3F",
            sent.Headers.Location!.ToString(),
            StringComparison.Ordinal
        );
        Assert.Equal("login_required", OAuthDance.Parameters(silent)["error"]);
    }

    [Fact]
    public async Task An_application_cannot_let_another_one_in_with_a_persons_token()
    {
        using var dance = await OAuthDance.StartAsync(host);
        using var bearer = await host.AsAdministratorAsync(Cancellation);

        using var sent = await bearer.GetAsync(dance.AuthorizeUrl(("prompt", "none")), Cancellation);

        Assert.Equal("login_required", OAuthDance.Parameters(sent)["error"]);
    }

    [Theory]
    [InlineData("prompt", "login")]
    [InlineData("max_age", "0")]
    public async Task Who_must_log_in_anew_is_asked_once(string name, string value)
    {
        using var dance = await OAuthDance.StartAsync(host, new { isFirstParty = true });

        using var sent = await dance.AuthorizeAsync((name, value));
        var back = Uri.UnescapeDataString(sent.Headers.Location!.ToString().Split("returnTo=")[1]);
        using var without = await dance.Browser.GetAsync(back, Cancellation);
        using var fresh = await OAuthDance.LogInAsync(host);
        using var after = await fresh.GetAsync(back, Cancellation);

        Assert.StartsWith("/login?", without.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.Contains("code", OAuthDance.Parameters(after).Keys);
    }

    [Fact]
    public async Task A_form_from_the_client_becomes_the_same_request()
    {
        using var dance = await OAuthDance.StartAsync(host, new { isFirstParty = true });
        var url = dance.AuthorizeUrl();
        using var form = new StringContent(url[(url.IndexOf('?', StringComparison.Ordinal) + 1)..]);
        form.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(
            "application/x-www-form-urlencoded"
        );
        using var stranger = host.AsAnyone();

        using var sent = await stranger.PostAsync(new Uri("/oauth/authorize", UriKind.Relative), form, Cancellation);
        using var answered = await dance.Browser.GetAsync(sent.Headers.Location, Cancellation);

        Assert.Contains("code", OAuthDance.Parameters(answered).Keys);
    }

    [Fact]
    public async Task A_suspended_client_is_unknown_and_its_tokens_end_within_a_second()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var tokens = (await dance.ExchangeAsync(await dance.CodeAsync())).Body;
        var token = tokens["access_token"]!.GetValue<string>();
        await using var second = await VerbatimHost.StartAsync(host.ConnectionString);
        using var elsewhere = second.As(token);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        await elsewhere.WithinASecondAsync("/api/me", HttpStatusCode.OK, TimeProvider.System.GetTimestamp());

        await administrator.PostJsonAsync(
            $"/api/oauth-clients/{dance.ClientId}/suspension",
            body: null,
            HttpStatusCode.NoContent
        );
        await elsewhere.WithinASecondAsync("/api/me", HttpStatusCode.Unauthorized, TimeProvider.System.GetTimestamp());
        Assert.Equal(HttpStatusCode.Unauthorized, await dance.StatusOfMeAsync(token));
        using var page = await dance.AuthorizeAsync();
        Assert.Equal(HttpStatusCode.BadRequest, page.StatusCode);
        OAuthDance.AssertError(
            await dance.PostAsync("/oauth/token", [("grant_type", "refresh_token"), ("refresh_token", "vr_x")]),
            "invalid_client",
            HttpStatusCode.Unauthorized
        );

        await administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/oauth-clients/{dance.ClientId}/suspension",
            body: null,
            HttpStatusCode.NoContent
        );
        await elsewhere.WithinASecondAsync("/api/me", HttpStatusCode.OK, TimeProvider.System.GetTimestamp());
    }

    [Fact]
    public async Task A_withdrawn_consent_ends_the_applications_tokens_and_is_asked_for_again()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var tokens = (await dance.ExchangeAsync(await dance.CodeAsync())).Body;
        var token = tokens["access_token"]!.GetValue<string>();
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var listed = await administrator.GetJsonAsync("/api/me/consents");
        var consent = listed["data"]!.AsArray().Single(c => c!["clientId"]!.GetValue<string>() == dance.ClientId)!;

        var path = $"/api/me/consents/{consent["id"]!.GetValue<string>()}";
        var code = await dance.CodeAsync();
        await administrator.SendJsonAsync(HttpMethod.Delete, path, body: null, HttpStatusCode.NoContent);
        await administrator.SendJsonAsync(HttpMethod.Delete, path, body: null, HttpStatusCode.NoContent);

        Assert.Equal(HttpStatusCode.Unauthorized, await dance.StatusOfMeAsync(token));
        OAuthDance.AssertError(await dance.ExchangeAsync(code), "invalid_grant");
        using var again = await dance.AuthorizeAsync();
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_client_logs_the_person_out_and_is_told_so_at_its_own_address_alone()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var tokens = (await dance.ExchangeAsync(await dance.CodeAsync())).Body;
        var hint = tokens["id_token"]!.GetValue<string>();

        using var elsewhere = await dance.Browser.GetAsync(
            $"/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F",
            Cancellation
        );
        using var forged = await dance.Browser.GetAsync($"/oauth/logout?id_token_hint={hint}x", Cancellation);
        using var asked = await dance.Browser.GetAsync("/oauth/logout", Cancellation);
        Assert.Equal(HttpStatusCode.OK, await dance.StatusOfMeAsync(tokens["access_token"]!.GetValue<string>()));
        using var done = await dance.Browser.GetAsync(
            $"/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fapp.example.com%2Fbye&state=s",
            Cancellation
        );
        using var after = await dance.AuthorizeAsync(("prompt", "none"));

        Assert.Equal(HttpStatusCode.BadRequest, elsewhere.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
        Assert.Contains("Log out?", await asked.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal("https://app.example.com/bye?state=s", done.Headers.Location!.ToString());
        Assert.Equal("login_required", OAuthDance.Parameters(after)["error"]);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await dance.StatusOfMeAsync(tokens["access_token"]!.GetValue<string>())
        );
    }
}
