using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Gateway.Responses;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>
/// Records model calls: the intent before anything is sent, the outcome before the last byte is answered. Knows which intents of this instance
/// are open, so that another can tell what was left behind should this one end.
/// </summary>
internal sealed partial class InferenceJournal(
    EventStore events,
    DocumentStore documents,
    IdSource ids,
    TimeProvider time,
    ILogger<InferenceJournal> logger
) : BackgroundService
{
    /// <summary>A longer body does not fit into an event, in base64 as it is when it is sealed: of it a digest is kept.</summary>
    public const int MaxBodyBytes = (EventStore.MaxAppendBytes / 4 * 3) - (1024 * 1024);

    private const string StreamType = "inference";
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ILogger<InferenceJournal> _logger = logger;
    private readonly ConcurrentDictionary<Guid, long> _open = new();
    private readonly ConcurrentQueue<Late> _late = new();

    private sealed record Late(AppendContext Context, Guid Id, IEvent Outcome);

    /// <summary>This instance of the gateway, new at each start.</summary>
    public Guid Instance { get; } = ids.New();

    /// <summary>A position that every open intent of this instance lies behind.</summary>
    /// <param name="head">The head of the log, read before this is called: an intent that comes later lies behind it.</param>
    public long OpenBehind(long head)
    {
        foreach (var (_, behind) in _open)
            head = Math.Min(head, behind);
        return head;
    }

    /// <summary>No intent of this instance is open.</summary>
    public bool HasNoneOpen => _open.IsEmpty;

    /// <summary>Returns once the intent is durable: only then may the call be sent.</summary>
    /// <exception cref="LogUnavailableException">It cannot be recorded, so it must not be made.</exception>
    public async Task StartAsync(
        AppendContext context,
        Guid id,
        InferenceStarted intent,
        CancellationToken cancellationToken
    )
    {
        _open[id] = events.LastKnownPosition;
        try
        {
            var result = await events.AppendAsync(
                context,
                new StreamEvents(StreamType, id, 0, [intent]),
                cancellationToken
            );
            if (result.Conflict is not null)
                throw new InvalidOperationException($"There is an inference {id} already.");
        }
        catch (LogUnavailableException)
        {
            // The commit may have happened all the same. Nothing was sent, which is worth a line in the record.
            var error = new InferenceError(
                "not-recorded",
                503,
                "The database went away before the call was sent; nothing was sent."
            );
            _late.Enqueue(
                new Late(
                    context with
                    {
                        Also = BackgroundRow.Lose(context.TenantId, id),
                    },
                    id,
                    new InferenceFailed(error, [], Usage: null, Cost: null, new Latency(null, 0), null, Response: null)
                )
            );
            throw;
        }
        catch
        {
            _open.TryRemove(id, out _);
            throw;
        }
    }

    /// <summary>Returns once the outcome is durable: only then may the last byte be answered.</summary>
    /// <exception cref="LogUnavailableException">It cannot be recorded now; it will be as soon as the database is back.</exception>
    public async Task FinishAsync(AppendContext context, Guid id, IEvent outcome)
    {
        try
        {
            // Not by the method below: whoever waits for a commit is there many times at once, and each wait costs.
            if (await AppendAsync(context, id, 1, outcome) is { Conflict: not null } refused)
                await ResolveAsync(context, id, outcome, refused.Conflict);
        }
        catch (LogUnavailableException)
        {
            _late.Enqueue(new Late(context, id, outcome));
            throw;
        }
        catch
        {
            // What was to be written with it, perhaps. The outcome is told without that, as soon as it can be.
            _late.Enqueue(new Late(context with { Also = null }, id, outcome));
            throw;
        }
        _open.TryRemove(id, out _);
    }

    /// <summary>Records the outcomes that could not be recorded when they came.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RetryInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            while (_late.TryPeek(out var late))
            {
                try
                {
                    await AppendOutcomeAsync(late.Context, late.Id, late.Outcome);
                    _open.TryRemove(late.Id, out _);
                }
                catch (Exception e) when (e is LogUnavailableException or NpgsqlException { IsTransient: true })
                {
                    break;
                }
                catch (Exception e)
                {
                    // It stays among the open ones: when this instance ends, another says that nobody knows its outcome.
                    LogUnrecordable(e, late.Id);
                }
                _late.TryDequeue(out _);
            }
        }
    }

    private async Task AppendOutcomeAsync(AppendContext context, Guid id, IEvent outcome)
    {
        if (await AppendAsync(context, id, 1, outcome) is { Conflict: not null } refused)
            await ResolveAsync(context, id, outcome, refused.Conflict);
    }

    // At version 0 the intent never was recorded, and nothing was sent. At 2 another instance may have taken this one for dead.
    private async Task ResolveAsync(AppendContext context, Guid id, IEvent outcome, VersionConflict conflict)
    {
        if (conflict.Actual != 2)
            return;
        var inference = await documents.LoadAsync<Inference>(
            Access.ToAll(context.TenantId),
            id,
            CancellationToken.None
        );
        if (inference is { Value.Status: InferenceStatus.Unknown })
            await AppendAsync(context, id, 2, outcome);
    }

    // Whatever became of the client, the outcome is recorded: no token.
    private Task<AppendResult> AppendAsync(AppendContext context, Guid id, long version, IEvent outcome) =>
        events.AppendAsync(context, new StreamEvents(StreamType, id, version, [outcome]), CancellationToken.None);

    [LoggerMessage(LogLevel.Error, "The outcome of inference {Id} cannot be recorded")]
    private partial void LogUnrecordable(Exception exception, Guid id);
}
