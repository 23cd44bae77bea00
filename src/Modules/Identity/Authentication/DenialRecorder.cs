using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>
/// Records every denied request before it is answered. So that nobody can fill the log by knocking, one caller or address gets a few events a
/// minute; what is beyond is counted, and the count is recorded when the minute is over.
/// </summary>
internal sealed partial class DenialRecorder(
    EventStore events,
    FirstOrganization firstOrganization,
    IdSource ids,
    TimeProvider time,
    ILogger<DenialRecorder> logger
) : BackgroundService, IDenialRecorder
{
    private const string StreamType = "access-denial";
    private const int EventsAMinute = 20;

    // More addresses than this in a minute are counted together.
    private const int MaxCounted = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ILogger<DenialRecorder> _logger = logger;
    private readonly Lock _lock = new();
    private Dictionary<Knocker, long> _counts = [];
    private DateTimeOffset _since = time.GetUtcNow();

    // Who knocks: a caller who is known, or an address; neither for all that came when there were too many.
    private sealed record Knocker(Guid? TenantId, string? Actor, Guid? PrincipalId, string? Address);

    public async Task RecordAsync(HttpContext context)
    {
        var caller = (context.User.Identity as CallerIdentity)?.Caller;
        var origin = RequestOrigin.Of(context);
        var knocker = caller is null
            ? new Knocker(null, null, null, origin.Address)
            : new Knocker(caller.TenantId, caller.Actor, caller.PrincipalId, null);
        if (!Count(knocker))
            return;
        var endpoint = context.GetEndpoint();
        await AppendAsync(
            knocker,
            new AccessDenied(
                context.Request.Method,
                (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "",
                endpoint?.Metadata.GetMetadata<RouteScope>()?.Scope,
                context.Response.StatusCode,
                origin.Address,
                origin.UserAgent
            ),
            RequestId.Of(context)
        );
    }

    /// <summary>Records what was only counted until now, and begins anew.</summary>
    public async Task FlushAsync()
    {
        Dictionary<Knocker, long> counts;
        DateTimeOffset since;
        var until = time.GetUtcNow();
        lock (_lock)
        {
            (counts, _counts) = (_counts, []);
            (since, _since) = (_since, until);
        }
        foreach (var (knocker, count) in counts)
        {
            if (count > EventsAMinute)
                await AppendAsync(
                    knocker,
                    new AccessDenialsCounted(count - EventsAMinute, since, until, knocker.Address),
                    correlation: ""
                );
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Window, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await FlushAsync();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotRecorded(e.GetType().Name);
            }
        }
    }

    // Whether it gets an event of its own.
    private bool Count(Knocker knocker)
    {
        lock (_lock)
        {
            if (_counts.Count >= MaxCounted && !_counts.ContainsKey(knocker))
                knocker = new Knocker(null, null, null, null);
            var count = _counts.GetValueOrDefault(knocker) + 1;
            _counts[knocker] = count;
            return count <= EventsAMinute;
        }
    }

    private async Task AppendAsync(Knocker knocker, IEvent denied, string correlation)
    {
        try
        {
            var tenant = knocker.TenantId ?? await firstOrganization.GetIdAsync(CancellationToken.None);
            await events.AppendAsync(
                new AppendContext(tenant, knocker.Actor ?? "system:door", correlation)
                {
                    Subject = knocker.PrincipalId,
                },
                new StreamEvents(StreamType, ids.New(), 0, [denied]),
                CancellationToken.None
            );
        }
        catch (Exception e) when (e is LogUnavailableException or NpgsqlException or InvalidOperationException)
        {
            LogNotRecorded(e.GetType().Name);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A denied request could not be recorded ({Reason})")]
    private partial void LogNotRecorded(string reason);
}
