using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Removes what is left of invitations whose time is over: they cannot be used any more, only renewed.</summary>
internal sealed partial class InvitationSweeper(Database database, TimeProvider time, ILogger<InvitationSweeper> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private readonly ILogger<InvitationSweeper> _logger = logger;

    /// <summary>Removes it now.</summary>
    /// <returns>How many rows.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        foreach (var table in (string[])["identity.invitation_tokens", "identity.open_invitations"])
        {
            await using var command = database.Writes.CreateCommand($"delete from {table} where expires_at <= $1");
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
            removed += await command.ExecuteNonQueryAsync(cancellationToken);
        }
        return removed;
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
                LogNotSwept(e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Invitations whose time is over could not be removed ({Reason}); trying again")]
    private partial void LogNotSwept(string reason);
}
