using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>
/// When each key was used last. A request only sets a time in memory; what has changed is written in one statement now and then, a key at
/// most once a minute. An instance that dies takes the last minute with it.
/// </summary>
internal sealed partial class ApiKeyUses(Database database, TimeProvider time, ILogger<ApiKeyUses> logger)
    : BackgroundService
{
    // What bounds the memory; past it what is not written yet is lost for keys that are used no more.
    private const int MaxKeys = 200_000;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Precision = TimeSpan.FromMinutes(1);

    private readonly ILogger<ApiKeyUses> _logger = logger;
    private readonly ConcurrentDictionary<(Guid TenantId, Guid ApiKeyId), ApiKeyUse> _uses = new();

    /// <summary>Where the requests with a key set the time.</summary>
    public ApiKeyUse Of(Guid tenantId, Guid apiKeyId)
    {
        if (_uses.Count >= MaxKeys)
            _uses.Clear();
        return _uses.GetOrAdd((tenantId, apiKeyId), static _ => new ApiKeyUse());
    }

    /// <summary>When these keys were used last; one that never was is not in the answer.</summary>
    public async Task<IReadOnlyDictionary<Guid, DateTimeOffset>> ReadAsync(
        Guid tenantId,
        IReadOnlyCollection<Guid> apiKeyIds,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            "select api_key_id, last_used_at from identity.api_key_uses where tenant_id = $1 and api_key_id = any($2)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. apiKeyIds] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var times = new Dictionary<Guid, DateTimeOffset>();
        while (await reader.ReadAsync(cancellationToken))
            times.Add(reader.GetGuid(0), new DateTimeOffset(reader.GetDateTime(1), TimeSpan.Zero));
        return times;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryWriteAsync(TimeSpan.Zero, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
                await TryWriteAsync(Precision, stoppingToken);
        }
    }

    private async Task TryWriteAsync(TimeSpan precision, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(precision, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            // The next round writes it.
            LogNotWritten(e.Message);
        }
    }

    private async Task WriteAsync(TimeSpan precision, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = _uses
            .Select(u => (u.Key, Use: u.Value, u.Value.LastUsedAt))
            .Where(u => u.LastUsedAt > u.Use.WrittenFor && now - u.Use.WrittenAt >= precision)
            .ToList();
        if (due.Count == 0)
            return;
        await using var command = database.Writes.CreateCommand(
            """
            insert into identity.api_key_uses (tenant_id, api_key_id, last_used_at)
            select t, k, l from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u(t, k, l) order by t, k
            on conflict (tenant_id, api_key_id) do update set last_used_at = excluded.last_used_at
                where api_key_uses.last_used_at < excluded.last_used_at
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. due.Select(u => u.Key.TenantId)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. due.Select(u => u.Key.ApiKeyId)] });
        command.Parameters.Add(
            new NpgsqlParameter<DateTime[]> { TypedValue = [.. due.Select(u => u.LastUsedAt.UtcDateTime)] }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
        foreach (var (_, use, lastUsedAt) in due)
        {
            use.WrittenFor = lastUsedAt;
            use.WrittenAt = now;
        }
    }

    [LoggerMessage(LogLevel.Warning, "When API keys were used last could not be written ({Reason}); trying again")]
    private partial void LogNotWritten(string reason);
}

/// <summary>When one key was used last, as this instance knows.</summary>
internal sealed class ApiKeyUse
{
    private long _lastUsedAt;

    public DateTimeOffset LastUsedAt => new(Interlocked.Read(ref _lastUsedAt), TimeSpan.Zero);

    // The writer's alone.
    public DateTimeOffset WrittenFor { get; set; }

    public DateTimeOffset WrittenAt { get; set; }

    public void Touch(DateTimeOffset now) => Interlocked.Exchange(ref _lastUsedAt, now.UtcTicks);
}
