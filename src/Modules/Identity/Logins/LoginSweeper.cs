using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Removes the hashes of tokens and cookies that have ended by themselves, a little at a time.</summary>
internal sealed partial class LoginSweeper(Database database, TimeProvider time, ILogger<LoginSweeper> logger)
    : BackgroundService
{
    private const int BatchSize = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);
    private static readonly string[] Tables =
    [
        "identity.refresh_tokens",
        "identity.login_cookies",
        "identity.authorization_codes",
        "identity.revoked_tokens",
    ];

    private readonly ILogger<LoginSweeper> _logger = logger;

    /// <summary>Removes all that there is to remove now.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var table in Tables)
        {
            await using var command = database.Writes.CreateCommand(
                $"""
                delete from {table} where hash in (
                    select hash from {table} where expires_at < $1 order by expires_at limit {BatchSize} for update skip locked
                )
                """
            );
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
            while (await command.ExecuteNonQueryAsync(cancellationToken) == BatchSize)
                cancellationToken.ThrowIfCancellationRequested();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (NpgsqlException e)
            {
                LogFailed(e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Ended tokens could not be removed ({Reason}); trying again later")]
    private partial void LogFailed(string reason);
}
