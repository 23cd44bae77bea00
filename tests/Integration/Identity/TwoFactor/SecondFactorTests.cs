using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity.TwoFactor;

public sealed class SecondFactorTests(SharedPostgres postgres, VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enrolling_changes_nothing_until_it_is_confirmed()
    {
        var person = await Person.CreateAsync(host);
        using var own = await person.LogInAsync();

        using var begun = await own.PostAsJsonAsync(
            "/api/auth/second-factor",
            new { currentPassword = Person.Password },
            Cancellation
        );
        var answer = await Person.ReadAsync(begun);
        using var wrong = await own.PostAsJsonAsync(
            "/api/auth/second-factor/confirmation",
            new { code = "000000" },
            Cancellation
        );
        using var login = await person.TryAsync();

        Assert.StartsWith("otpauth://totp/Verbatim:user-", answer["uri"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.StartsWith("<svg", answer["qrCode"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        Assert.Equal("identity.wrong-code", await Person.CodeOfAsync(wrong));
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        Assert.Contains("no-store", begun.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enrolling_needs_the_password()
    {
        var person = await Person.CreateAsync(host);
        using var own = await person.LogInAsync();

        using var refused = await own.PostAsJsonAsync(
            "/api/auth/second-factor",
            new { currentPassword = "the thief of a login has none" },
            Cancellation
        );

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("identity.wrong-password", await Person.CodeOfAsync(refused));
    }

    [Fact]
    public async Task A_login_needs_a_code_and_a_code_works_once()
    {
        var (person, challenge) = await ChallengedAsync();
        var code = person.NextCode();

        using var right = await person.ProveAsync(challenge, code);
        using var again = await person.ProveAsync(challenge, code);
        var login = await Person.ReadAsync(right);

        Assert.NotNull(login["accessToken"]);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        Assert.Equal("identity.wrong-code", await Person.CodeOfAsync(again));
    }

    [Fact]
    public async Task A_code_works_once_also_at_two_instances_at_once()
    {
        var (person, challenge) = await ChallengedAsync();
        await using var second = await VerbatimHost.StartAsync(host.ConnectionString);
        var code = person.NextCode();

        var answers = await Task.WhenAll(
            person.ProveAsync(challenge, code),
            person.ProveAsync(challenge, code, second),
            person.ProveAsync(challenge, code),
            person.ProveAsync(challenge, code, second)
        );

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.OK);
        foreach (var answer in answers)
            answer.Dispose();
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task A_code_of_another_time_is_wrong(int steps)
    {
        var (person, challenge) = await ChallengedAsync();

        using var wrong = await person.ProveAsync(challenge, person.CodeIn(steps));

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
    }

    [Fact]
    public async Task A_recovery_code_works_once_however_it_is_typed()
    {
        var (person, challenge) = await ChallengedAsync();
        var typed = person.RecoveryCodes[3].Replace("-", " ", StringComparison.Ordinal).ToUpperInvariant();

        using var right = await person.ProveAsync(challenge, typed);
        using var again = await person.ProveAsync(challenge, typed);
        using var own = host.As((await Person.ReadAsync(right))["accessToken"]!.GetValue<string>());
        var state = await own.GetFromJsonAsync<JsonNode>("/api/auth/second-factor", Cancellation);

        Assert.Equal(10, person.RecoveryCodes.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        Assert.Equal(9, state!["recoveryCodesLeft"]!.GetValue<int>());
        Assert.True(state["enabled"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Renewed_recovery_codes_replace_the_old_ones()
    {
        var (person, challenge) = await ChallengedAsync();
        using var proved = await person.ProveAsync(challenge, person.RecoveryCodes[0]);
        using var own = host.As((await Person.ReadAsync(proved))["accessToken"]!.GetValue<string>());

        var renewed = await Person.ReadAsync(
            await own.PostAsJsonAsync(
                "/api/auth/second-factor/recovery-codes",
                new { currentPassword = Person.Password, code = person.RecoveryCodes[1] },
                Cancellation
            )
        );
        using var old = await person.ProveAsync(challenge, person.RecoveryCodes[2]);
        using var fresh = await person.ProveAsync(challenge, renewed["recoveryCodes"]![0]!.GetValue<string>());

        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        Assert.Equal(HttpStatusCode.OK, fresh.StatusCode);
    }

    [Fact]
    public async Task Disabling_needs_both_proofs()
    {
        var (person, challenge) = await ChallengedAsync();
        using var proved = await person.ProveAsync(challenge, person.RecoveryCodes[0]);
        using var own = host.As((await Person.ReadAsync(proved))["accessToken"]!.GetValue<string>());

        using var wrongCode = await DisableAsync(own, Person.Password, "000000");
        using var wrongPassword = await DisableAsync(own, "not at all the password", person.RecoveryCodes[1]);
        using var stillAsked = await person.TryAsync();
        using var done = await DisableAsync(own, Person.Password, person.RecoveryCodes[1]);
        using var login = await person.TryAsync();

        Assert.Equal("identity.wrong-code", await Person.CodeOfAsync(wrongCode));
        Assert.Equal("identity.wrong-password", await Person.CodeOfAsync(wrongPassword));
        Assert.Equal("identity.second-factor-required", await Person.CodeOfAsync(stillAsked));
        Assert.Equal(HttpStatusCode.NoContent, done.StatusCode);
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
    }

    [Fact]
    public async Task Wrong_codes_lock_the_account_and_the_password_alone_does_not_unlock_it()
    {
        var (person, challenge) = await ChallengedAsync();
        for (var i = 0; i < 4; i++)
        {
            using var wrong = await person.ProveAsync(challenge, "000000");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }
        using (var password = await person.TryAsync())
            Assert.Equal("identity.second-factor-required", await Person.CodeOfAsync(password));
        using var fifth = await person.ProveAsync(challenge, "000000");
        await Person.ShiftDelaysAsync(host, TimeSpan.FromMinutes(1));

        using var refused = await person.ProveAsync(challenge, person.NextCode());

        Assert.Equal(HttpStatusCode.Unauthorized, fifth.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("nQ0m4vT9xK2c7yB1f6hZ3p8s5dLr0wEaUj")]
    public async Task A_challenge_that_is_none_is_refused(string challenge)
    {
        var person = await Person.CreateAsync(host);

        using var refused = await person.ProveAsync(challenge, "000000");

        Assert.Contains(refused.StatusCode, new[] { HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest });
    }

    [Fact]
    public async Task An_administrator_takes_a_lost_factor_away()
    {
        var (person, _) = await ChallengedAsync();
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var reset = await administrator.PostAsync(
            $"/api/users/{person.Id}/second-factor/reset",
            content: null,
            Cancellation
        );
        using var login = await person.TryAsync();
        using var unknown = await administrator.PostAsync(
            $"/api/users/{Guid.NewGuid()}/second-factor/reset",
            content: null,
            Cancellation
        );

        Assert.Equal(HttpStatusCode.NoContent, reset.StatusCode);
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_the_organization_requires_a_factor_a_login_without_one_can_only_set_it_up(bool byCookie)
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        var person = await Person.CreateAsync(own, "auditor");
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        using var set = await administrator.PutAsJsonAsync(
            "/api/login-policy",
            new { secondFactorRequired = true },
            Cancellation
        );
        using var anyone = own.AsAnyone();

        using var response = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new
            {
                email = person.Email,
                password = Person.Password,
                cookie = byCookie,
            },
            Cancellation
        );
        var login = await Person.ReadAsync(response);
        using var limited = byCookie ? own.AsAnyone() : own.As(login["accessToken"]!.GetValue<string>());
        if (byCookie)
        {
            var cookie = response.Headers.GetValues("set-cookie").First().Split(';')[0];
            limited.DefaultRequestHeaders.Add("Cookie", cookie);
            limited.DefaultRequestHeaders.Add("x-csrf-token", login["antiforgeryToken"]!.GetValue<string>());
        }
        using var people = await limited.GetAsync("/api/users", Cancellation);
        await person.EnrolAsync(limited);
        using var whole = await person.LogInAsync(own);
        using var peopleOfWhole = await whole.GetAsync("/api/users", Cancellation);

        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.True(login["mustSetUpSecondFactor"]!.GetValue<bool>());
        Assert.Equal(HttpStatusCode.Forbidden, people.StatusCode);
        Assert.Equal(HttpStatusCode.OK, peopleOfWhole.StatusCode);
    }

    [Fact]
    public async Task A_login_policy_is_the_organizations_and_changes_under_its_version()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var before = await administrator.GetFromJsonAsync<JsonNode>("/api/login-policy", Cancellation);
        using var set = await SetAsync(administrator, required: true, version: null);
        using var stale = await SetAsync(administrator, required: false, version: "\"7\"");
        using var right = await SetAsync(administrator, required: false, version: set.Headers.ETag!.Tag);
        using var viewer = await own.AsNewAsync("viewer", Cancellation);
        using var forbidden = await SetAsync(viewer, required: true, version: null);

        Assert.False(before!["secondFactorRequired"]!.GetValue<bool>());
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);

        static async Task<HttpResponseMessage> SetAsync(HttpClient client, bool required, string? version)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/api/login-policy");
            request.Content = JsonContent.Create(new { secondFactorRequired = required });
            if (version is not null)
                request.Headers.TryAddWithoutValidation("If-Match", version);
            return await client.SendAsync(request, Cancellation);
        }
    }

    private async Task<(Person Person, string Challenge)> ChallengedAsync()
    {
        var person = await Person.CreateAsync(host);
        using (var own = await person.LogInAsync())
            await person.EnrolAsync(own);
        using var asked = await person.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        var problem = await Person.ReadAnyAsync(asked);
        Assert.Equal("identity.second-factor-required", problem["code"]!.GetValue<string>());
        return (person, problem["challenge"]!.GetValue<string>());
    }

    private static Task<HttpResponseMessage> DisableAsync(HttpClient own, string password, string code) =>
        own.PostAsJsonAsync("/api/auth/second-factor/disable", new { currentPassword = password, code }, Cancellation);
}
