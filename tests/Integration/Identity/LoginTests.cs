using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Identity;

public sealed class LoginTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refresh_token_gives_new_tokens_and_the_login_goes_on()
    {
        var person = await PersonAsync();
        var login = await LogInAsync(person);

        var refreshed = await RefreshAsync(login.RefreshToken);

        Assert.Equal(HttpStatusCode.OK, refreshed.Status);
        Assert.Equal(login.Id, refreshed.Body["loginId"]!.GetValue<Guid>());
        Assert.NotEqual(login.RefreshToken, refreshed.Body["refreshToken"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.OK, await MeAsync(refreshed.Body["accessToken"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(login.AccessToken));
        var listed = await GetLoginAsync(login.AccessToken, login.Id);
        Assert.NotNull(listed["refreshedAt"]);
        Assert.True(listed["isActive"]!.GetValue<bool>());
    }

    [Fact]
    public async Task A_refresh_token_that_comes_back_ends_the_whole_login()
    {
        var person = await PersonAsync();
        var login = await LogInAsync(person);
        var other = await LogInAsync(person);
        var refreshed = await RefreshAsync(login.RefreshToken);

        var again = await RefreshAsync(login.RefreshToken);

        Assert.Equal(HttpStatusCode.Unauthorized, again.Status);
        Assert.Equal("identity.refresh-token-invalid", again.Code);
        var successor = await RefreshAsync(refreshed.Body["refreshToken"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.Unauthorized, successor.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(login.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(refreshed.Body["accessToken"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(other.AccessToken));
        Assert.Equal(
            "refreshTokenReused",
            (await GetLoginAsync(other.AccessToken, login.Id))["endReason"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task Of_many_who_use_a_refresh_token_at_once_at_most_one_gets_tokens_and_the_login_ends()
    {
        var person = await PersonAsync();
        var login = await LogInAsync(person);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RefreshAsync(login.RefreshToken)));

        Assert.InRange(answers.Count(a => a.Status == HttpStatusCode.OK), 0, 1);
        Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.OK or HttpStatusCode.Unauthorized));
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(login.AccessToken));
    }

    [Theory]
    [InlineData("vr_unknown")]
    [InlineData("vk_4qSCvLAwJDyO6ScgsUE5HoGjjmDbr4M5maMZTE67zQC")]
    [InlineData("\u0000")]
    public async Task A_refresh_token_that_is_nobodys_is_refused(string token)
    {
        var answer = await RefreshAsync(token);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("identity.refresh-token-invalid", answer.Code);
    }

    [Fact]
    public async Task Logging_out_ends_access_token_and_refresh_token()
    {
        var login = await LogInAsync(await PersonAsync());
        using var client = host.As(login.AccessToken);

        using var answer = await client.PostAsync("/api/auth/logout", content: null, Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(login.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, (await RefreshAsync(login.RefreshToken)).Status);
    }

    [Fact]
    public async Task Logging_out_everywhere_spares_the_one_login_that_is_asked_to_be_spared()
    {
        var person = await PersonAsync();
        var (one, two, three) = (await LogInAsync(person), await LogInAsync(person), await LogInAsync(person));
        using var client = host.As(one.AccessToken);

        using var answer = await client.PostAsync("/api/auth/logout-everywhere?exceptThis=true", null, Cancellation);

        Assert.Equal(2, (await ReadAsync(answer))["ended"]!.GetValue<int>());
        Assert.Equal(HttpStatusCode.OK, await MeAsync(one.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(two.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(three.AccessToken));
    }

    [Fact]
    public async Task A_person_sees_and_ends_their_own_logins_alone_and_an_administrator_anybodys()
    {
        var mine = await LogInAsync(await PersonAsync());
        var theirs = await LogInAsync(await PersonAsync());
        using var me = host.As(mine.AccessToken);
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var seen = await me.GetAsync(new Uri($"/api/logins/{theirs.Id}", UriKind.Relative), Cancellation);
        using var ended = await me.DeleteAsync(new Uri($"/api/logins/{theirs.Id}", UriKind.Relative), Cancellation);
        var list = await me.GetFromJsonAsync<JsonNode>("/api/logins", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, seen.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, ended.StatusCode);
        // The other one was with the one-time password.
        var ids = list!["data"]!.AsArray().Select(l => l!["id"]!.GetValue<Guid>()).ToList();
        Assert.Equal((mine.Id, 2), (ids[0], ids.Count));
        Assert.DoesNotContain(theirs.Id, ids);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(theirs.AccessToken));

        using var byAdministrator = await administrator.DeleteAsync(
            new Uri($"/api/logins/{theirs.Id}", UriKind.Relative),
            Cancellation
        );
        Assert.Equal(HttpStatusCode.NoContent, byAdministrator.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(theirs.AccessToken));
    }

    [Fact]
    public async Task An_auditor_sees_everybodys_logins_and_ends_only_their_own()
    {
        var theirs = await LogInAsync(await PersonAsync());
        using var auditor = await host.AsNewAsync("auditor", Cancellation);

        using var seen = await auditor.GetAsync(new Uri($"/api/logins/{theirs.Id}", UriKind.Relative), Cancellation);
        using var ended = await auditor.DeleteAsync(
            new Uri($"/api/logins/{theirs.Id}", UriKind.Relative),
            Cancellation
        );

        Assert.Equal(HttpStatusCode.OK, seen.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, ended.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await MeAsync(theirs.AccessToken));
    }

    [Fact]
    public async Task A_login_that_is_ended_on_one_instance_is_over_on_the_other_within_a_second()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        var login = await LogInAsync(await PersonAsync());
        using var here = host.As(login.AccessToken);
        using var there = other.As(login.AccessToken);
        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/api/me", Cancellation)).StatusCode);

        using var answer = await here.PostAsync("/api/auth/logout", content: null, Cancellation);
        var ended = TimeProvider.System.GetTimestamp();
        HttpStatusCode status;
        do status = (await there.GetAsync("/api/me", Cancellation)).StatusCode;
        while (status == HttpStatusCode.OK && TimeProvider.System.GetElapsedTime(ended) < TimeSpan.FromSeconds(1));

        Assert.Equal(HttpStatusCode.Unauthorized, status);
    }

    [Fact]
    public async Task Nothing_of_an_erased_person_works_any_more()
    {
        var person = await PersonAsync();
        var login = await LogInAsync(person);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var me = host.As(login.AccessToken);
        var id = (await me.GetFromJsonAsync<JsonNode>("/api/me", Cancellation))!["userId"]!.GetValue<Guid>();

        using var erased = await administrator.PostAsJsonAsync(
            "/api/audit/erasures",
            new { subjectId = id },
            Cancellation
        );

        Assert.True(erased.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync(login.AccessToken));
        Assert.Equal(HttpStatusCode.Unauthorized, (await RefreshAsync(login.RefreshToken)).Status);
        using var anyone = host.AsAnyone();
        using var again = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = person.Email, password = person.Password },
            Cancellation
        );
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
    }

    [Fact]
    public async Task A_login_by_cookie_reads_with_the_cookie_and_changes_only_with_the_antiforgery_token()
    {
        var person = await PersonAsync();
        using var anyone = host.AsAnyone();
        using var login = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new
            {
                email = person.Email,
                password = person.Password,
                cookie = true,
            },
            Cancellation
        );
        var body = await ReadAsync(login);
        var header = Assert.Single(login.Headers.GetValues("Set-Cookie"));
        Assert.Contains("; httponly", header, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; samesite=lax", header, StringComparison.OrdinalIgnoreCase);
        Assert.Null(body["accessToken"]);
        Assert.Null(body["refreshToken"]);
        using var browser = host.AsAnyone();
        browser.DefaultRequestHeaders.Add("Cookie", header.Split(';')[0]);

        using var read = await browser.GetAsync("/api/auth/antiforgery", Cancellation);
        var token = (await ReadAsync(read))["token"]!.GetValue<string>();
        Assert.Equal(body["antiforgeryToken"]!.GetValue<string>(), token);

        using var forged = await browser.PostAsync("/api/auth/logout", content: null, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, forged.StatusCode);
        Assert.Equal("identity.antiforgery", (await ReadAsync(forged))["code"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/me", Cancellation)).StatusCode);

        browser.DefaultRequestHeaders.Add("x-csrf-token", token);
        using var logout = await browser.PostAsync("/api/auth/logout", content: null, Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, logout.StatusCode);
        Assert.Contains(
            "expires=Thu, 01 Jan 1970",
            Assert.Single(logout.Headers.GetValues("Set-Cookie")),
            StringComparison.OrdinalIgnoreCase
        );
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/me", Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_login_that_fails_takes_a_time_that_does_not_tell_whether_there_is_such_an_account(bool exists)
    {
        var email = exists ? (await PersonAsync()).Email : $"nobody-{Guid.NewGuid():N}@example.org";
        using var anyone = host.AsAnyone();

        var began = TimeProvider.System.GetTimestamp();
        using var answer = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email, password = "this is not the password" },
            Cancellation
        );

        var took = TimeProvider.System.GetElapsedTime(began);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        // A lower bound, which holds however slow the machine is: what takes less than it, as one hash more or less, is not seen.
        Assert.InRange(took, TimeSpan.FromMilliseconds(300), TimeSpan.MaxValue);
        Assert.Equal("identity.wrong-credentials", (await ReadAsync(answer))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Nobody_logs_in_to_an_organization_that_they_do_not_belong_to()
    {
        var person = await PersonAsync();
        using var anyone = host.AsAnyone();

        using var answer = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new
            {
                email = person.Email,
                password = person.Password,
                organizationId = Guid.CreateVersion7(),
            },
            Cancellation
        );

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("identity.no-membership", (await ReadAsync(answer))["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_change_under_a_version_that_has_passed_is_refused()
    {
        var login = await LogInAsync(await PersonAsync());
        await RefreshAsync(login.RefreshToken);
        using var client = host.As(login.AccessToken);

        using var stale = await SendAsync("\"1\"");
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        using var malformed = await SendAsync("1");
        Assert.Equal(HttpStatusCode.PreconditionFailed, malformed.StatusCode);
        using var weak = await SendAsync("W/\"2\"");
        Assert.Equal(HttpStatusCode.PreconditionFailed, weak.StatusCode);
        using var read = await client.GetAsync(new Uri($"/api/logins/{login.Id}", UriKind.Relative), Cancellation);
        Assert.Equal("\"2\"", read.Headers.ETag!.ToString());
        using var current = await SendAsync("\"7\", \"2\"");
        Assert.Equal(HttpStatusCode.NoContent, current.StatusCode);

        async Task<HttpResponseMessage> SendAsync(string ifMatch)
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/logins/{login.Id}");
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
            return await client.SendAsync(request, Cancellation);
        }
    }

    private sealed record Person(string Email, string Password);

    private sealed record Tokens(Guid Id, string AccessToken, string RefreshToken);

    private sealed record Answer(HttpStatusCode Status, JsonNode Body)
    {
        public string? Code => Body["code"]?.GetValue<string>();
    }

    private async Task<Person> PersonAsync()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"person-{Guid.NewGuid():N}@example.org";
        using var answer = await administrator.PostAsJsonAsync(
            "/api/users",
            new { email, role = "user" },
            Cancellation
        );
        const string password = "a password that nobody has";
        var oneTime = (await ReadAsync(answer))["oneTimePassword"]!.GetValue<string>();
        using var own = host.As(await host.ChoosePasswordAsync(email, oneTime, password, Cancellation));
        using var ended = await own.PostAsync("/api/auth/logout", content: null, Cancellation);
        ended.EnsureSuccessStatusCode();
        return new Person(email, password);
    }

    private async Task<Tokens> LogInAsync(Person person)
    {
        using var anyone = host.AsAnyone();
        using var answer = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = person.Email, password = person.Password },
            Cancellation
        );
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl!.NoStore);
        var body = await ReadAsync(answer);
        return new Tokens(
            body["loginId"]!.GetValue<Guid>(),
            body["accessToken"]!.GetValue<string>(),
            body["refreshToken"]!.GetValue<string>()
        );
    }

    private async Task<Answer> RefreshAsync(string refreshToken)
    {
        using var anyone = host.AsAnyone();
        using var answer = await anyone.PostAsJsonAsync("/api/auth/refresh", new { refreshToken }, Cancellation);
        return new Answer(answer.StatusCode, await ReadAsync(answer));
    }

    private async Task<HttpStatusCode> MeAsync(string accessToken)
    {
        using var client = host.As(accessToken);
        using var answer = await client.GetAsync("/api/me", Cancellation);
        return answer.StatusCode;
    }

    private async Task<JsonNode> GetLoginAsync(string accessToken, Guid id)
    {
        using var client = host.As(accessToken);
        return (await client.GetFromJsonAsync<JsonNode>($"/api/logins/{id}", Cancellation))!;
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!;
}
