using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Platform.Sweeping;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

public sealed class InvitationTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private const string Password = "a long enough secret of Grace";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_person_accepts_once_and_can_log_in()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var anyone = host.AsAnyone();
        var email = NewAddress();
        var made = await administrator.PostJsonAsync("/api/invitations", new { email, role = "user" });
        var token = TokenOf(made);

        await anyone.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token },
            HttpStatusCode.UnprocessableEntity,
            "identity.password-needed"
        );
        await anyone.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token, password = "123456789012" },
            HttpStatusCode.UnprocessableEntity,
            "identity.weak-password"
        );
        var accepted = await anyone.PostJsonAsync(
            "/api/invitations/accept",
            new
            {
                token,
                password = Password,
                name = "Grace",
            },
            HttpStatusCode.OK
        );
        await anyone.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token, password = Password },
            HttpStatusCode.NotFound,
            "identity.invitation-not-found"
        );

        Assert.True(accepted["isNewAccount"]!.GetValue<bool>());
        using var grace = host.As(await host.LogInAsync(email, Password, Cancellation));
        var me = await grace.GetJsonAsync("/api/me");
        Assert.Equal(accepted["userId"]!.GetValue<Guid>(), me["userId"]!.GetValue<Guid>());
        Assert.Equal(("Grace", "user"), (me["displayName"]!.GetValue<string>(), me["role"]!.GetValue<string>()));
        Assert.False(me["mustChangePassword"]!.GetValue<bool>());
        var read = await administrator.GetJsonAsync($"/api/invitations/{made["id"]}");
        Assert.Equal("accepted", read["status"]!.GetValue<string>());
        Assert.Equal(accepted["userId"]!.GetValue<Guid>(), read["acceptedBy"]!.GetValue<Guid>());
        Assert.Null(read["link"]);
        Assert.Equal("link", read["delivery"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_link_alone_never_opens_an_account_that_exists()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var anyone = host.AsAnyone();
        using var ada = await host.AsNewAsync("user", Cancellation);
        using var bob = await host.AsNewAsync("user", Cancellation);
        var address = (await ada.GetJsonAsync("/api/me"))["email"]!.GetValue<string>();
        var key = await ada.PostJsonAsync("/api/api-keys", new { name = "Ada's" });
        using var keyed = host.As(key["secret"]!.GetValue<string>());
        using var elsewhere = await EnterNewAsync(administrator);
        var token = TokenOf(
            await elsewhere.PostJsonAsync(
                "/api/invitations",
                new { email = address.ToUpperInvariant(), role = "viewer" }
            )
        );

        foreach (var client in (HttpClient[])[anyone, bob, keyed])
            await client.RefusedAsync(
                HttpMethod.Post,
                "/api/invitations/accept",
                new { token, password = Password },
                HttpStatusCode.Forbidden,
                "identity.log-in-first"
            );
        var accepted = await ada.PostJsonAsync("/api/invitations/accept", new { token }, HttpStatusCode.OK);

        Assert.False(accepted["isNewAccount"]!.GetValue<bool>());
        var mine = (await ada.GetJsonAsync("/api/me/organizations"))["data"]!.AsArray();
        Assert.Equal(2, mine.Count);
        var entered = await ada.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = accepted["organizationId"]!.GetValue<Guid>() },
            HttpStatusCode.OK
        );
        using var there = host.As(entered["accessToken"]!.GetValue<string>());
        Assert.Equal("viewer", (await there.GetJsonAsync("/api/me"))["role"]!.GetValue<string>());
        Assert.Equal("user", (await ada.GetJsonAsync("/api/me"))["role"]!.GetValue<string>());
        // Removed there, and invited anew, they are again a member; suspended or not is another matter.
        var userId = accepted["userId"]!.GetValue<Guid>();
        await elsewhere.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations",
            new { email = address, role = "user" },
            HttpStatusCode.Conflict,
            "identity.already-member"
        );
        await elsewhere.SendJsonAsync(HttpMethod.Delete, $"/api/users/{userId}", null, HttpStatusCode.NoContent);
        token = TokenOf(await elsewhere.PostJsonAsync("/api/invitations", new { email = address, role = "user" }));
        await ada.PostJsonAsync("/api/invitations/accept", new { token }, HttpStatusCode.OK);
        Assert.Equal("user", (await elsewhere.GetJsonAsync($"/api/users/{userId}"))["role"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_token_that_is_wrong_revoked_replaced_or_ended_is_answered_alike()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var anyone = host.AsAnyone();
        var tokens = new List<string> { "vi_" + new string('0', 43), "nonsense", new string('x', 200) };
        var revoked = await administrator.PostJsonAsync(
            "/api/invitations",
            new { email = NewAddress(), role = "user" }
        );
        await administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/invitations/{revoked["id"]}",
            body: null,
            HttpStatusCode.NoContent
        );
        tokens.Add(TokenOf(revoked));
        var replaced = await administrator.PostJsonAsync(
            "/api/invitations",
            new { email = NewAddress(), role = "user" }
        );
        var renewed = await administrator.PostJsonAsync(
            $"/api/invitations/{replaced["id"]}/renewals",
            body: null,
            HttpStatusCode.OK
        );
        tokens.Add(TokenOf(replaced));
        var ended = await administrator.PostJsonAsync("/api/invitations", new { email = NewAddress(), role = "user" });
        await ExecuteAsync(
            "update identity.invitation_tokens set expires_at = now() where invitation_id = $1",
            ended["id"]!.GetValue<Guid>()
        );
        tokens.Add(TokenOf(ended));
        using var elsewhere = await EnterNewAsync(administrator);
        var suspended = await elsewhere.PostJsonAsync("/api/invitations", new { email = NewAddress(), role = "user" });
        var organization = (await elsewhere.GetJsonAsync("/api/organization"))["id"];
        await administrator.PostJsonAsync($"/api/organizations/{organization}/suspension", null, HttpStatusCode.OK);
        tokens.Add(TokenOf(suspended));

        var answers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in tokens)
        {
            var problem = await anyone.PostJsonAsync(
                "/api/invitations/accept",
                new { token, password = Password },
                HttpStatusCode.NotFound
            );
            answers.Add($"{problem["code"]} {problem["detail"]}");
        }

        Assert.Single(answers);
        await anyone.PostJsonAsync(
            "/api/invitations/accept",
            new { token = TokenOf(renewed), password = Password },
            HttpStatusCode.OK
        );
        Assert.True(
            (await host.Services.GetRequiredService<Sweeper>().SweepAsync(Sweeper.BatchSize, Cancellation))[
                "identity.invitation_tokens"
            ] >= 1,
            "The token that has ended was not swept away."
        );
        await administrator.RefusedAsync(
            HttpMethod.Post,
            $"/api/invitations/{replaced["id"]}/renewals",
            body: null,
            HttpStatusCode.Conflict,
            "identity.invitation-closed"
        );
        await administrator.RefusedAsync(
            HttpMethod.Delete,
            $"/api/invitations/{replaced["id"]}",
            body: null,
            HttpStatusCode.Conflict,
            "identity.invitation-closed"
        );
    }

    [Fact]
    public async Task Of_two_who_accept_at_once_one_joins()
    {
        await using var other = await VerbatimHost.StartAsync(host.ConnectionString);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var here = host.AsAnyone();
        using var there = other.AsAnyone();
        for (var round = 0; round < 5; round++)
        {
            var email = NewAddress();
            var token = TokenOf(await administrator.PostJsonAsync("/api/invitations", new { email, role = "user" }));

            var answers = await Task.WhenAll(
                StatusAsync(here, token, Password + " one"),
                StatusAsync(round % 2 == 0 ? here : there, token, Password + " two")
            );

            Assert.Equal([HttpStatusCode.OK, HttpStatusCode.NotFound], answers.Order());
            var found = await administrator.GetJsonAsync($"/api/users?email={email}");
            Assert.Single(found["data"]!.AsArray());
        }
    }

    [Fact]
    public async Task Two_organizations_invite_the_same_new_person_and_one_account_is_made()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var elsewhere = await EnterNewAsync(administrator);
        using var anyone = host.AsAnyone();
        var email = NewAddress();
        var first = TokenOf(await administrator.PostJsonAsync("/api/invitations", new { email, role = "user" }));
        var second = TokenOf(await elsewhere.PostJsonAsync("/api/invitations", new { email, role = "auditor" }));

        await anyone.PostJsonAsync(
            "/api/invitations/accept",
            new { token = first, password = Password },
            HttpStatusCode.OK
        );
        await anyone.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token = second, password = Password },
            HttpStatusCode.Forbidden,
            "identity.log-in-first"
        );
        using var person = host.As(await host.LogInAsync(email, Password, Cancellation));
        await person.PostJsonAsync("/api/invitations/accept", new { token = second }, HttpStatusCode.OK);

        Assert.Equal(2, (await person.GetJsonAsync("/api/me/organizations"))["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task Invitations_are_listed_by_status_and_an_address_has_one_at_a_time()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var elsewhere = await EnterNewAsync(administrator);
        var email = NewAddress();
        var made = await elsewhere.PostJsonAsync(
            "/api/invitations",
            new
            {
                email,
                role = "user",
                expiresInDays = 1,
            }
        );

        await elsewhere.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations",
            new { email, role = "admin" },
            HttpStatusCode.Conflict,
            "identity.already-invited"
        );
        await elsewhere.PostJsonAsync(
            "/api/invitations",
            new { email = "a b@example.org", role = "user" },
            HttpStatusCode.UnprocessableEntity
        );
        await administrator.GetJsonAsync($"/api/invitations/{made["id"]}", HttpStatusCode.NotFound);
        Assert.Equal(
            TimeSpan.FromDays(1),
            made["expiresAt"]!.GetValue<DateTimeOffset>() - made["createdAt"]!.GetValue<DateTimeOffset>()
        );
        Assert.Single((await elsewhere.GetJsonAsync("/api/invitations?status=pending"))["data"]!.AsArray());
        await elsewhere.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/invitations/{made["id"]}",
            null,
            HttpStatusCode.NoContent
        );
        Assert.Empty((await elsewhere.GetJsonAsync("/api/invitations?status=pending"))["data"]!.AsArray());
        Assert.Single((await elsewhere.GetJsonAsync("/api/invitations?status=revoked"))["data"]!.AsArray());
        await elsewhere.PostJsonAsync("/api/invitations", new { email, role = "user" });
        using var limited = host.As(await host.CreateApiKeyAsync([Scopes.UsersWrite], Cancellation));
        await limited.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations",
            new { email, role = "admin" },
            HttpStatusCode.Forbidden,
            "identity.role-beyond-yours"
        );
    }

    [Fact]
    public async Task A_mail_brings_the_link_and_its_token_is_nowhere_else()
    {
        await using var mail = await MailServer.StartAsync("starttls", demandsLogin: true);
        await using var own = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            mail.Settings("starttls", logsIn: true)
        );
        using var administrator = await own.AsAdministratorAsync(Cancellation);
        using var anyone = own.AsAnyone();
        var email = NewAddress();

        var made = await administrator.PostJsonAsync("/api/invitations", new { email, role = "auditor" });
        var first = await mail.ReceiveAsync(Cancellation);
        var sent = await DeliveredAsync(administrator, made, "sent");
        await administrator.PostJsonAsync($"/api/invitations/{made["id"]}/renewals", body: null, HttpStatusCode.OK);
        var second = await mail.ReceiveAsync(Cancellation);

        Assert.Null(made["link"]);
        Assert.Equal("waiting", made["delivery"]!.GetValue<string>());
        Assert.Null(sent["link"]);
        Assert.Equal(email, first["envelope"]!["to"]![0]!.GetValue<string>());
        Assert.Equal("Invitation to My organization", first["subject"]!.GetValue<string>());
        Assert.Contains("auditor", first["text"]!.GetValue<string>(), StringComparison.Ordinal);
        var (old, current) = (TokenIn(first), TokenIn(second));
        Assert.Empty(await TablesWithAsync(own.ConnectionString, current["vi_".Length..]));
        await anyone.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token = old, password = Password },
            HttpStatusCode.NotFound,
            "identity.invitation-not-found"
        );
        await anyone.PostJsonAsync(
            "/api/invitations/accept",
            new { token = current, password = Password },
            HttpStatusCode.OK
        );
        // An address that the mail server does not know.
        var unknown = await administrator.PostJsonAsync(
            "/api/invitations",
            new { email = "nobody@example.org", role = "user" }
        );
        await DeliveredAsync(administrator, unknown, "undeliverable");
    }

    [Fact]
    public async Task An_erased_person_s_invitation_says_nothing_of_them()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var anyone = host.AsAnyone();
        var email = NewAddress();
        var made = await administrator.PostJsonAsync("/api/invitations", new { email, role = "user" });
        var accepted = await anyone.PostJsonAsync(
            "/api/invitations/accept",
            new
            {
                token = TokenOf(made),
                password = Password,
                name = "Grace",
            },
            HttpStatusCode.OK
        );

        await administrator.PostJsonAsync(
            "/api/audit/erasures",
            new { subjectId = accepted["userId"]!.GetValue<Guid>() }
        );

        var read = await administrator.GetJsonAsync($"/api/invitations/{made["id"]}");
        Assert.Equal("[erased]", read["email"]!.GetValue<string>());
        Assert.Empty(await TablesWithAsync(host.ConnectionString, email));
        // The address is free.
        await administrator.PostJsonAsync("/api/invitations", new { email, role = "user" });
    }

    private static string NewAddress() => $"{Guid.NewGuid():N}@example.org";

    private static string TokenOf(JsonNode invitation) => invitation["link"]!.GetValue<string>().Split('=')[^1];

    private static string TokenIn(JsonNode mail) =>
        mail["text"]!
            .GetValue<string>()
            .Split((char[]?)null)
            .Single(w => w.Contains("/invitation?", StringComparison.Ordinal))
            .Split('=')[^1];

    private static async Task<JsonNode> DeliveredAsync(HttpClient client, JsonNode invitation, string expected)
    {
        while (true)
        {
            var read = await client.GetJsonAsync($"/api/invitations/{invitation["id"]}");
            if (read["delivery"]!.GetValue<string>() == expected)
                return read;
            await Task.Delay(50, Cancellation);
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string token, string password)
    {
        using var response = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(
            client,
            "/api/invitations/accept",
            new { token, password },
            Cancellation
        );
        return response.StatusCode;
    }

    private async Task<HttpClient> EnterNewAsync(HttpClient administrator)
    {
        var made = await administrator.PostJsonAsync("/api/organizations", new { name = "Elsewhere" });
        var entered = await administrator.PostJsonAsync(
            "/api/auth/organization",
            new { organizationId = made["id"]!.GetValue<Guid>() },
            HttpStatusCode.OK
        );
        return host.As(entered["accessToken"]!.GetValue<string>());
    }

    private async Task ExecuteAsync(string sql, Guid id)
    {
        await using var connection = new NpgsqlConnection(host.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    // The tables with a row that has the text in it, be it as bytes.
    private static async Task<List<string>> TablesWithAsync(string database, string text)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancellation);
        var tables = new List<string>();
        await using (
            var command = new NpgsqlCommand(
                """
                select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
                where schemaname not in ('pg_catalog', 'information_schema')
                """,
                connection
            )
        )
        await using (var reader = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await reader.ReadAsync(Cancellation))
                tables.Add(reader.GetString(0));
        }
        Assert.NotEmpty(tables);
        var found = new List<string>();
        foreach (var table in tables)
        {
            await using var command = new NpgsqlCommand(
                $"select exists (select from {table} t where t::text like $1 or t::text like $2)",
                connection
            );
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"%{text}%" });
            command.Parameters.Add(
                new NpgsqlParameter<string>
                {
                    TypedValue = $"%{Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(text))}%",
                }
            );
            if ((bool)(await command.ExecuteScalarAsync(Cancellation))!)
                found.Add(table);
        }
        return found;
    }
}
