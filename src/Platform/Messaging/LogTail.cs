using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Something on each instance that wants to hear of events soon after they are recorded, whichever instance recorded them: a cache that
/// must forget. Nothing is stored about it; a start begins at the head of the log.
/// </summary>
public interface ILogObserver
{
    /// <summary>The events that it wants.</summary>
    IReadOnlyCollection<Type> EventTypes { get; }

    /// <summary>Called once for each, in the order of the log. Must be quick and must not throw.</summary>
    void Observe(RecordedEvent recorded, IEvent @event);

    /// <summary>
    /// Called when events may have been missed or delayed for longer than <see cref="LogTail.PollInterval"/> allows, for instance because
    /// the database was away: whatever was learnt from earlier events may be stale.
    /// </summary>
    void Reset();
}

/// <summary>Follows the log on this instance and tells its <see cref="ILogObserver"/>s.</summary>
public sealed partial class LogTail : BackgroundService
{
    /// <summary>How late an event of another instance is heard of at most, while the database answers.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    private readonly IReadOnlyList<ILogObserver> _observers;
    private readonly EventCatalog _catalog;
    private readonly LogReader _reader;
    private readonly TimeProvider _time;
    private readonly ILogger<LogTail> _logger;
    private readonly string[] _types;

    internal LogTail(
        IEnumerable<ILogObserver> observers,
        EventCatalog catalog,
        LogReader reader,
        TimeProvider time,
        ILogger<LogTail> logger
    )
    {
        _observers = [.. observers];
        _catalog = catalog;
        _reader = reader;
        _time = time;
        _logger = logger;
        _types =
        [
            .. _observers
                .SelectMany(o => o.EventTypes)
                .Select(t => catalog.ShapeOf(t).Name)
                .Distinct(StringComparer.Ordinal),
        ];
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_types.Length == 0)
            return;
        long? position = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                position = await AdvanceAsync(position, stoppingToken);
                await Task.Delay(PollInterval, _time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LogFailed(e.Message);
                foreach (var observer in _observers)
                    observer.Reset();
                await Task.Delay(PollInterval, _time, stoppingToken);
            }
        }
    }

    private async Task<long> AdvanceAsync(long? position, CancellationToken cancellationToken)
    {
        var head = await _reader.ReadHeadAsync(cancellationToken);
        if (position is not { } after || after == head)
            return head;
        foreach (var recorded in await _reader.ReadTypesAsync(_types, after, head, cancellationToken))
        {
            var @event = _catalog.Read(recorded);
            foreach (var observer in _observers.Where(o => o.EventTypes.Contains(@event.GetType())))
                observer.Observe(recorded, @event);
        }
        return head;
    }

    [LoggerMessage(LogLevel.Warning, "The log cannot be followed ({Reason}); caches are dropped until it can")]
    private partial void LogFailed(string reason);
}
