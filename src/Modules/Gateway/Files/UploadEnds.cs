using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// Records how uploads ended. Where the database is away just then, it is recorded as soon as that is back: otherwise a file that a provider has would
/// be on its way for as long as this instance lives.
/// </summary>
internal sealed partial class UploadEnds(DocumentStore documents, TimeProvider time, ILogger<UploadEnds> logger)
    : BackgroundService
{
    // Beyond that, an upload stays open until this instance ends and another finds it.
    private const int MaxLate = 10_000;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ILogger<UploadEnds> _logger = logger;
    private readonly ConcurrentQueue<Late> _late = new();

    private sealed record Late(AppendContext Context, Guid Id, IEvent Outcome);

    /// <summary>Returns once it is durable, whatever becomes of the request.</summary>
    /// <exception cref="LogUnavailableException">It cannot be recorded now; it will be as soon as the database is back.</exception>
    /// <exception cref="NpgsqlException">The same.</exception>
    public async Task RecordAsync(AppendContext context, Guid id, IEvent outcome)
    {
        try
        {
            await TryRecordAsync(context, id, outcome);
        }
        catch (Exception e) when (IsAway(e))
        {
            RecordLater(context, id, outcome);
            throw;
        }
    }

    /// <summary>Records it as soon as the database is back, if the upload is on record at all.</summary>
    public void RecordLater(AppendContext context, Guid id, IEvent outcome)
    {
        if (_late.Count < MaxLate)
            _late.Enqueue(new Late(context, id, outcome));
        else
            LogUnrecordable(exception: null, id);
    }

    /// <summary>The end of an upload whose end is not known yet.</summary>
    internal static Decision Decide(ProviderFile? file, IEvent outcome) =>
        file switch
        {
            null => Decision.Refuse(RefusalKind.NotFound, "gateway.file-not-found", "There is no such file."),
            { IsOpen: true } => Decision.Append(outcome),
            // A commit whose answer was lost had happened.
            _ => Decision.Nothing,
        };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RetryInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            while (_late.TryPeek(out var late))
            {
                try
                {
                    await TryRecordAsync(late.Context, late.Id, late.Outcome);
                }
                catch (Exception e) when (IsAway(e))
                {
                    break;
                }
                catch (Exception e)
                {
                    LogUnrecordable(e, late.Id);
                }
                _late.TryDequeue(out _);
            }
        }
    }

    private static bool IsAway(Exception e) => e is LogUnavailableException or NpgsqlException { IsTransient: true };

    // What goes with the request's other appends does not go with this one: the provider has answered, whoever has taken the request over since.
    private async Task TryRecordAsync(AppendContext context, Guid id, IEvent outcome) =>
        await documents.DecideAsync<ProviderFile>(
            context with
            {
                Also = null,
            },
            id,
            file => Decide(file, outcome),
            CancellationToken.None
        );

    [LoggerMessage(LogLevel.Error, "How upload {Id} ended cannot be recorded")]
    private partial void LogUnrecordable(Exception? exception, Guid id);
}
