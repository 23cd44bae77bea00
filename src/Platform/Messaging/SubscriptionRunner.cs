using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Runs every subscription that no other instance runs: looks for free leases, renews its own, and tells the readers of this instance how
/// far the log has grown. On a connection of its own, so that nothing that handlers do can delay it.
/// </summary>
internal sealed partial class SubscriptionRunner(SubscriptionCatalog catalog, SubscriptionContext context)
    : BackgroundService
{
    // How late an event of another instance is heard of.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    // How late a pause or a free lease is noticed.
    private static readonly TimeSpan LeaseInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromSeconds(5);

    private readonly ILogger<SubscriptionRunner> _logger = context.Logger;
    private readonly Dictionary<string, SubscriptionSession> _sessions = new(StringComparer.Ordinal);
    private string[] _names = [.. catalog.Subscriptions.Select(s => s.Name)];
    private NpgsqlConnection? _connection;
    private long? _lookedAt;
    private long? _renewedAt;
    private long? _measuredAt;
    private bool _isFailing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_names.Length == 0 && catalog.Projections.Count == 0)
            return;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await TickAsync(stoppingToken);
                    _isFailing = false;
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    if (!_isFailing)
                        LogFailed(e);
                    _isFailing = true;
                    await DisconnectAsync();
                }
                await Task.Delay(PollInterval, context.Time, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            foreach (var session in _sessions.Values)
                session.Stop();
            await Task.WhenAll(_sessions.Values.Select(s => s.Completion));
            foreach (var session in _sessions.Values)
                session.Dispose();
            await DisconnectAsync();
        }
    }

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        if (_connection is null)
        {
            _connection = await context.Database.Dedicated.OpenConnectionAsync(cancellationToken);
            await Leases.RegisterAsync(_connection, [.. catalog.Subscriptions.Select(s => s.Name)], cancellationToken);
        }
        var head = await LogReader.ReadHeadAsync(_connection, cancellationToken);
        if (head > context.Signal.Position)
            context.Signal.Publish(head);
        if (IsDue(_renewedAt, RenewInterval))
            await RenewAsync(_connection, cancellationToken);
        if (IsDue(_lookedAt, LeaseInterval) && catalog.Projections.Count > 0)
            _names =
            [
                .. catalog.Subscriptions.Select(s => s.Name),
                .. await Leases.ReadBuildsAsync(_connection, catalog.Projections, cancellationToken),
            ];
        if (IsDue(_lookedAt, LeaseInterval))
            await LookAsync(_connection, cancellationToken);
        if (IsDue(_measuredAt, MeasureInterval))
        {
            await context.Meters.MeasureLagsAsync(_connection, _names, cancellationToken);
            _measuredAt = context.Time.GetTimestamp();
        }
    }

    private bool IsDue(long? since, TimeSpan interval) =>
        since is null || context.Time.GetElapsedTime(since.Value) >= interval;

    private async Task RenewAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var held = _sessions.Values.Where(s => s.Epoch is not null).Select(s => (s.Name, s.Epoch!.Value)).ToList();
        var sent = context.Time.GetTimestamp();
        if (held.Count > 0)
        {
            var renewed = await Leases.RenewAsync(connection, context.Instance.Id, held, cancellationToken);
            foreach (var (name, _) in held)
            {
                if (renewed.Contains(name))
                    _sessions[name].Renewed(context.Time.GetElapsedTime(sent));
                else
                    _sessions[name].Stop();
            }
        }
        _renewedAt = sent;
    }

    private async Task LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var (name, ended) in _sessions.Where(s => s.Value.Completion.IsCompleted).ToList())
        {
            ended.Dispose();
            _sessions.Remove(name);
        }
        foreach (var state in await Leases.ReadAsync(connection, _names, cancellationToken))
        {
            if (_sessions.TryGetValue(state.Name, out var running))
            {
                if (state.IsPaused)
                    running.Stop();
                else if (state.HasDecided)
                    running.LookAtDecided();
            }
            else if (state is { IsFree: true, IsPaused: false })
            {
                var subscription = catalog.Find(state.Name)!;
                var session = new SubscriptionSession(context, subscription);
                _sessions.Add(state.Name, session);
                session.Start(cancellationToken);
            }
        }
        _lookedAt = context.Time.GetTimestamp();
    }

    private async Task DisconnectAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
            await connection.DisposeAsync();
    }

    [LoggerMessage(LogLevel.Warning, "The database does not answer; subscriptions of this instance stop until it does")]
    private partial void LogFailed(Exception exception);
}
