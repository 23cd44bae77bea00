using Npgsql;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

/// <summary>What the database says of a refresh token that two bring at once, whose requests looked at the clock one after the other.</summary>
public sealed class RefreshTokenClockTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(-5, 0, true)]
    [InlineData(0, 0, true)]
    // Who is second looked at the clock before who is first.
    [InlineData(5, 0, true)]
    [InlineData(-5, 10_000, false)]
    [InlineData(5, 10_000, false)]
    [InlineData(-11_000, 10_000, true)]
    public async Task Without_a_leeway_a_used_token_is_refused_whatever_the_clocks_say(
        int usedBeforeMilliseconds,
        int leewayMilliseconds,
        bool isRefused
    )
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var hash = Guid.NewGuid().ToByteArray();
        var now = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);
        await using var insert = source.CreateCommand(
            """
            insert into identity.refresh_tokens (hash, tenant_id, login_id, expires_at, used_at)
            values ($1, gen_random_uuid(), gen_random_uuid(), $2::timestamptz + interval '1 day', $3)
            """
        );
        insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash });
        insert.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        insert.Parameters.Add(
            new NpgsqlParameter<DateTime> { TypedValue = now.AddMilliseconds(usedBeforeMilliseconds) }
        );
        await insert.ExecuteNonQueryAsync(Cancellation);
        await using var use = source.CreateCommand("select identity.use_refresh_token($1, $2, $3)");
        use.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash });
        use.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now });
        use.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = TimeSpan.FromMilliseconds(leewayMilliseconds) }
        );

        var failure = await Record.ExceptionAsync(() => use.ExecuteNonQueryAsync(Cancellation));

        Assert.Equal(isRefused ? "VB006" : null, (failure as PostgresException)?.SqlState);
    }
}
