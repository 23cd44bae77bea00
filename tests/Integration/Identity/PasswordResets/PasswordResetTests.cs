using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Npgsql;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity.PasswordResets;

public sealed partial class PasswordResetTests(SharedPostgres postgres, VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const string Chosen = "what the mail let me choose";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_lets_a_person_choose_a_password_once_and_ends_their_logins()
    {
        await using var mail = await MailServer.StartAsync("none", demandsLogin: false);
        await using var own = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            mail.Settings("none", logsIn: false)
        );
        var person = await Person.CreateAsync(own);
        using var before = await person.LogInAsync();
        using var anyone = own.AsAnyone();

        using var unknown = await AskAsync(anyone, $"nobody-{Guid.NewGuid():N}@example.org");
        using var asked = await AskAsync(anyone, person.Email.ToUpperInvariant());
        var letter = await mail.ReceiveAsync(Cancellation);
        var token = Token().Match(letter["text"]!.GetValue<string>()).Groups["token"].Value;
        using var weak = await ChooseAsync(anyone, token, "Password2026!");
        using var chosen = await ChooseAsync(anyone, token, Chosen);
        using var again = await ChooseAsync(anyone, token, Chosen + " again");
        using var old = await person.TryAsync();
        using var login = await person.TryAsync(Chosen);
        using var me = await before.GetAsync("/api/me", Cancellation);

        Assert.Equal(HttpStatusCode.Accepted, unknown.StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        Assert.Equal(person.Email, letter["envelope"]!["to"]![0]!.GetValue<string>());
        Assert.Equal("identity.weak-password", await Person.CodeOfAsync(weak));
        Assert.Equal(HttpStatusCode.NoContent, chosen.StatusCode);
        Assert.Equal("identity.invalid-reset-token", await Person.CodeOfAsync(again));
        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, me.StatusCode);
        Assert.False(mail.HasMail);
    }

    [Fact]
    public async Task Of_many_who_use_a_link_at_once_one_chooses()
    {
        var person = await Person.CreateAsync(host);
        var token = await OfferAsync(person);
        using var anyone = host.AsAnyone();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(i => ChooseAsync(anyone, token, $"{Chosen} {i}"))
        );

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.NoContent);
        foreach (var answer in answers)
            answer.Dispose();
    }

    [Fact]
    public async Task A_link_runs_out_and_a_newer_one_replaces_it()
    {
        var person = await Person.CreateAsync(host);
        var first = await OfferAsync(person);
        var second = await OfferAsync(person);
        using var anyone = host.AsAnyone();

        using var replaced = await ChooseAsync(anyone, first, Chosen);
        await using (var source = NpgsqlDataSource.Create(host.ConnectionString))
        await using (var command = source.CreateCommand("update identity.password_resets set expires_at = now()"))
            await command.ExecuteNonQueryAsync(Cancellation);
        using var late = await ChooseAsync(anyone, second, Chosen);

        Assert.Equal("identity.invalid-reset-token", await Person.CodeOfAsync(replaced));
        Assert.Equal("identity.invalid-reset-token", await Person.CodeOfAsync(late));
    }

    [Fact]
    public async Task A_new_password_ends_all_logins_but_the_one_that_set_it()
    {
        var person = await Person.CreateAsync(host);
        using var other = await person.LogInAsync();
        using var own = await person.LogInAsync();

        using var changed = await own.PostAsJsonAsync(
            "/api/auth/password",
            new { currentPassword = Person.Password, newPassword = Chosen },
            Cancellation
        );
        using var mine = await own.GetAsync("/api/me", Cancellation);
        using var others = await other.GetAsync("/api/me", Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        Assert.Equal(HttpStatusCode.OK, mine.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, others.StatusCode);
    }

    [Fact]
    public async Task A_link_opens_a_locked_account()
    {
        var person = await Person.CreateAsync(host);
        for (var i = 0; i < 5; i++)
        {
            using var failed = await person.TryAsync("not at all the password");
        }
        await Person.ShiftDelaysAsync(host, TimeSpan.FromMinutes(1));
        using var anyone = host.AsAnyone();

        using var chosen = await ChooseAsync(anyone, await OfferAsync(person), Chosen);
        using var login = await person.TryAsync(Chosen);

        Assert.Equal(HttpStatusCode.NoContent, chosen.StatusCode);
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
    }

    [Fact]
    public async Task An_administrator_makes_no_link_for_who_belongs_elsewhere_too()
    {
        var person = await Person.CreateAsync(host);
        await JoinAnotherOrganizationAsync(host, person);
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var link = await administrator.PostAsync($"/api/users/{person.Id}/password-reset", null, Cancellation);
        using var factor = await administrator.PostAsync(
            $"/api/users/{person.Id}/second-factor/reset",
            content: null,
            Cancellation
        );
        using var unknown = await administrator.PostAsync(
            $"/api/users/{Guid.NewGuid()}/password-reset",
            null,
            Cancellation
        );

        Assert.Equal(HttpStatusCode.Conflict, link.StatusCode);
        Assert.Equal("identity.belongs-elsewhere", await Person.CodeOfAsync(link));
        Assert.Equal(HttpStatusCode.Conflict, factor.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    // As an invitation would do it: a membership, and nothing else.
    internal static async Task JoinAnotherOrganizationAsync(VerbatimHost host, Person person)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(
            """
            with other as (
                insert into documents.organization
                select (jsonb_populate_record(o, jsonb_build_object('tenant_id', $2, 'id', $2))).*
                from documents.organization o order by o.id limit 1
                returning tenant_id
            )
            insert into documents.user
            select (jsonb_populate_record(u, jsonb_build_object('tenant_id', $2))).* from documents.user u where u.id = $1
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7() });
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task<string> OfferAsync(Person person)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var offered = await administrator.PostAsync($"/api/users/{person.Id}/password-reset", null, Cancellation);
        var link = (await Person.ReadAsync(offered))["link"]!.GetValue<string>();
        return Token().Match(link).Groups["token"].Value;
    }

    private static Task<HttpResponseMessage> AskAsync(HttpClient anyone, string email) =>
        anyone.PostAsJsonAsync("/api/auth/password-reset", new { email }, Cancellation);

    private static Task<HttpResponseMessage> ChooseAsync(HttpClient anyone, string token, string newPassword) =>
        anyone.PostAsJsonAsync("/api/auth/password-reset/confirmation", new { token, newPassword }, Cancellation);

    [GeneratedRegex("token=(?<token>vp_[0-9A-Za-z]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
