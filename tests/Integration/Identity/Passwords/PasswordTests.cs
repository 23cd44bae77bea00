using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity.Passwords;

public sealed class PasswordTests(SharedPostgres postgres, VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private const string NewPassword = "a password that nobody has";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Password2026!", "identity.weak-password")]
    [InlineData("qwertyuiop123", "identity.weak-password")]
    [InlineData(VerbatimHost.AdministratorPassword, "identity.same-password")]
    public async Task A_password_that_is_tried_first_is_not_taken(string password, string code)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);

        using var response = await administrator.PostAsJsonAsync(
            "/api/auth/password",
            new { currentPassword = VerbatimHost.AdministratorPassword, newPassword = password },
            Cancellation
        );

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(code, await CodeOfAsync(response));
    }

    [Fact]
    public async Task A_hash_is_made_anew_at_the_next_login_when_the_rounds_were_raised()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using (var first = await VerbatimHost.StartAsync(database))
        {
            Assert.Equal(PasswordSettings.MinIterations, await RoundsAsync(database));
        }
        var more = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Identity:Passwords:Iterations"] = "250000",
        };
        await using var second = await VerbatimHost.StartAsync(database, more);
        using var anyone = second.AsAnyone();

        using var wrong = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new { email = VerbatimHost.AdministratorEmail, password = NewPassword },
            Cancellation
        );
        var afterWrong = await RoundsAsync(database);
        await second.LogInAsync(VerbatimHost.AdministratorEmail, VerbatimHost.AdministratorPassword, Cancellation);
        var afterRight = await RoundsAsync(database);
        await second.LogInAsync(VerbatimHost.AdministratorEmail, VerbatimHost.AdministratorPassword, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(PasswordSettings.MinIterations, afterWrong);
        Assert.Equal(250_000, afterRight);
    }

    private static async Task<int> RoundsAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("select hash from identity.passwords");
        return PasswordHashing.RoundsOf((string)(await command.ExecuteScalarAsync(Cancellation))!);
    }

    private static async Task<string?> CodeOfAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["code"]?.GetValue<string>();
}
