using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// The responses that this instance makes in the background. Each is a call like any other, but for nobody who waits; it ends when it has an
/// outcome, when somebody cancels it on whichever instance, or when this one stops.
/// </summary>
internal sealed partial class BackgroundResponses(
    InferenceCalls calls,
    InferenceJournal journal,
    OutputLog log,
    ResponseEnds ends,
    Database database,
    TimeProvider time,
    ILogger<BackgroundResponses> logger
) : BackgroundService, IHostedLifecycleService, ILogObserver
{
    /// <summary>The most that run at once on one instance.</summary>
    public const int MostRunning = 1000;

    // Jobs and requests that are in the middle of something get more; what is made in the background may well take an hour.
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ILogger<BackgroundResponses> _logger = logger;
    private readonly ConcurrentDictionary<Guid, BackgroundRun> _running = new();
    private int _count;
    private volatile bool _isStopping;
    private volatile bool _mayHaveMissed;

    public IReadOnlyCollection<Type> EventTypes { get; } = [typeof(ResponseCancellationRequested)];

    /// <summary>Starts a response, and returns when its intent is durable or it was refused: <see cref="BackgroundRun.Started"/> says which.</summary>
    /// <exception cref="LogUnavailableException">It cannot be recorded now.</exception>
    public async Task<(BackgroundRun Run, WireError? Refused)> StartAsync(
        InferenceCaller caller,
        PreparedCall prepared,
        IHeaderDictionary headers
    )
    {
        var run = new BackgroundRun(log, caller, prepared.Asked);
        if (_isStopping || Interlocked.Increment(ref _count) > MostRunning)
        {
            if (!_isStopping)
                Interlocked.Decrement(ref _count);
            run.Dispose();
            return (
                run,
                new WireError(
                    503,
                    $"This instance makes {MostRunning} responses in the background already, or is about to stop; try again in a moment.",
                    "background",
                    "server_overloaded"
                )
            );
        }
        var call = prepared with
        {
            IsBackground = true,
            AlsoAtStart = identity =>
                BackgroundRow.Add(
                    caller.TenantId,
                    BackgroundRun.IdOf(identity.Id),
                    identity.Id,
                    caller.PrincipalId,
                    new BackgroundRow(
                        run.SubjectOf(identity),
                        CancellationIdOf(identity.Id),
                        journal.Instance,
                        prepared.Asked.Stream,
                        identity.CreatedAt,
                        HasBegun: false,
                        IsCancelled: false,
                        IsLost: false,
                        HasEnded: false
                    )
                ),
            Started = async identity =>
            {
                _running[identity.Id] = run;
                await run.StartAsync(identity);
                await MarkBegunAsync(run);
            },
        };
        run.Ended = Task.Run(() => RunAsync(run, call, headers));
        return (run, await run.Started);
    }

    /// <summary>Ends the call of a response, where this instance makes it.</summary>
    public void Cancel(Guid inferenceId)
    {
        if (_running.TryGetValue(inferenceId, out var run))
            _ = run.StopAsync();
    }

    public void Observe(RecordedEvent recorded, IEvent @event) =>
        Cancel(((ResponseCancellationRequested)@event).InferenceId);

    public void Reset() => _mayHaveMissed = true;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Before anything else stops: what does not end by itself in a few seconds is ended, and its outcome recorded while that can still be done.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        await AllEndedAsync(Drain, cancellationToken);
        foreach (var (_, run) in _running)
            await run.StopAsync();
        await AllEndedAsync(Settling, cancellationToken);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (!_mayHaveMissed)
                continue;
            _mayHaveMissed = false;
            try
            {
                await CancelMissedAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                _mayHaveMissed = true;
                LogMissed(e.Message);
            }
        }
    }

    // Made from the call's id, so that whoever cancels twice, or two at once, meet in one stream.
    private static Guid CancellationIdOf(Guid inferenceId) =>
        new(
            System
                .Security.Cryptography.SHA256.HashData(
                    System.Text.Encoding.ASCII.GetBytes($"response-cancellation:{inferenceId:N}")
                )
                .AsSpan(0, 16)
        );

    private async Task RunAsync(BackgroundRun run, PreparedCall call, IHeaderDictionary headers)
    {
        try
        {
            await AnswerAsync(run, call, headers);
            if (run.Started is { IsCompletedSuccessfully: true, Result: null })
                await ends.WriteAsync(run.Caller.TenantId, run.Id, _isStopping);
        }
        catch (Exception e)
        {
            LogUnended(e.Message, run.Identity.Id);
        }
        finally
        {
            _running.TryRemove(run.Identity.Id, out _);
            Interlocked.Decrement(ref _count);
            run.Dispose();
        }
    }

    private async Task AnswerAsync(BackgroundRun run, PreparedCall call, IHeaderDictionary headers)
    {
        try
        {
            await calls.AnswerAsync(run.Caller, CallerWire.Responses, call, run, headers, time.GetTimestamp());
        }
        catch (Exception e)
        {
            if (!run.Started.IsCompleted)
                run.FailToStart(e);
            else if (e is not LogUnavailableException)
            {
                // Nothing more comes of it, though this instance lives.
                LogFailed(e, run.Identity.Id);
                await ends.GiveUpAsync(run.Caller.TenantId, run.Id, _isStopping);
            }
        }
    }

    private async Task MarkBegunAsync(BackgroundRun run)
    {
        try
        {
            await using var command = database.Writes.CreateCommand(
                "update gateway.background_responses set began_at = now() where tenant_id = $1 and response_id = $2"
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = run.Caller.TenantId });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Id });
            await command.ExecuteNonQueryAsync(run.Aborted);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            // It says "queued" for longer than it is; the call itself goes on, or ends as one that was cancelled.
        }
    }

    private async Task CancelMissedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select inference_id from gateway.background_responses
            where instance_id = $1 and ended_at is null and (cancelled_at is not null or lost_at is not null)
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = journal.Instance });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            Cancel(reader.GetGuid(0));
    }

    private async Task AllEndedAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(_running.Values.Select(r => r.Ended)).WaitAsync(atMost, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // Those that are left are the next step's; at the end their outcome is lost, and another instance says so.
        }
    }

    [LoggerMessage(LogLevel.Warning, "Responses that were cancelled could not be looked for ({Reason}); trying again")]
    private partial void LogMissed(string reason);

    [LoggerMessage(LogLevel.Error, "The call {Id} of a response in the background failed")]
    private partial void LogFailed(Exception exception, Guid id);

    [LoggerMessage(
        LogLevel.Warning,
        "The end of the response of call {Id} could not be written ({Reason}); whoever reads it will"
    )]
    private partial void LogUnended(string reason, Guid id);
}
