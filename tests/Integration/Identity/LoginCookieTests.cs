using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Identity;

public sealed class LoginCookieTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whose_a_cookie_is_is_found_with_one_connection()
    {
        var person = await Person.CreateAsync(host);
        var secret = LoginCookies.New();
        // Many who look at the same moment, each for a second one, would all wait for each other.
        await using var narrow = new Database(
            new NpgsqlConnectionStringBuilder(host.ConnectionString) { MaxPoolSize = 1 }.ConnectionString
        );
        await using (
            var command = narrow.Writes.CreateCommand(
                """
                insert into identity.login_cookies (hash, tenant_id, login_id, expires_at)
                select $1, tenant_id, id, now() + interval '1 hour' from documents.login where data ->> 'userId' = $2 limit 1
                """
            )
        )
        {
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SecretHash.Of(secret).ToArray() });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{person.Id}" });
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }
        var cookies = new LoginCookies(
            narrow,
            new OneTimePasswords(narrow),
            host.Services.GetRequiredService<Standings>(),
            TimeProvider.System
        );

        var found = await cookies.FindAsync(secret, Cancellation);

        var caller = Assert.IsType<CallerIdentity>(found!.Principal!.Identity).Caller;
        Assert.Equal((person.Id, Reach.Own), (caller.PrincipalId, caller.Reach));
    }
}
