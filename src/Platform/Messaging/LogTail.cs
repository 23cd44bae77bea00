using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Something on each instance that wants to hear of events soon after they are recorded, whichever instance recorded them: a cache that
/// must forget. Nothing is stored about it; a start begins at the head of the log, with a <see cref="Reset"/>.
/// </summary>
/// <remarks>
/// What was read from the database before <see cref="Observe"/> or <see cref="Reset"/> was called, and is put into a cache after, may be
/// stale: a cache counts these calls, and keeps only what was read within one count.
/// </remarks>
public interface ILogObserver
{
    /// <summary>The events that it wants.</summary>
    IReadOnlyCollection<Type> EventTypes { get; }

    /// <summary>Called once for each, in the order of the log. Must be quick and must not throw.</summary>
    void Observe(RecordedEvent recorded, IEvent @event);

    /// <summary>
    /// Called when events may have been missed or delayed for longer than <see cref="LogTail.Deadline"/>, for instance because the database
    /// is away: whatever was learnt from earlier events may be stale.
    /// </summary>
    void Reset();
}

/// <summary>Follows the log on this instance and tells its <see cref="ILogObserver"/>s.</summary>
public sealed partial class LogTail : BackgroundService
{
    /// <summary>How often the log is looked at for events of other instances.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How late an event of another instance is heard of at most; when it cannot be kept, observers are reset.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private const int PageSize = 1000;

    private readonly ILogObserver[] _observers;
    private readonly EventReader _reader;
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly ILogger<LogTail> _logger;
    private readonly string[] _types;
    private NpgsqlConnection? _connection;
    private long? _position;
    private bool _isFailing;

    internal LogTail(
        IEnumerable<ILogObserver> observers,
        EventCatalog catalog,
        EventReader reader,
        Database database,
        TimeProvider time,
        ILogger<LogTail> logger
    )
    {
        _observers = [.. observers];
        _reader = reader;
        _database = database;
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
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await AdvanceInTimeAsync(stoppingToken);
                if (_isFailing)
                    LogRecovered();
                _isFailing = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (!_isFailing)
                    LogFailed(e);
                _isFailing = true;
                // Where this connection broke, those that are idle did so too, most likely; each would cost somebody an answer.
                if (e is NpgsqlException { IsTransient: true })
                    _database.ForgetIdle();
                Reset();
            }
            await Task.Delay(PollInterval, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await DisconnectAsync();
    }

    // A database that hangs is as bad as one that is away, so the observers hear of it while the answer is still awaited.
    private async Task AdvanceInTimeAsync(CancellationToken cancellationToken)
    {
        var advance = AdvanceAsync(cancellationToken);
        while (true)
        {
            try
            {
                await advance.WaitAsync(Deadline - PollInterval, _time, cancellationToken);
                return;
            }
            catch (TimeoutException) when (!advance.IsCompleted)
            {
                Reset();
            }
        }
    }

    // On a connection of its own: were it to wait for a free one, a busy instance would forget all that it has in its caches, and be busier.
    private async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        try
        {
            _connection ??= await _database.Dedicated.OpenConnectionAsync(cancellationToken);
            await AdvanceAsync(_connection, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch
        {
            await DisconnectAsync();
            throw;
        }
    }

    private async Task DisconnectAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
            await connection.DisposeAsync();
    }

    private async Task AdvanceAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var head = await LogReader.ReadHeadAsync(connection, cancellationToken);
        if (_position is null)
        {
            // After the head was read: nothing that comes behind it can be missed now.
            Reset();
            _position = head;
        }
        while (_position < head)
        {
            var page = await LogReader.ReadTypesAsync(
                connection,
                _types,
                _position.Value,
                head,
                PageSize,
                cancellationToken
            );
            foreach (var recorded in page)
            {
                try
                {
                    await TellAsync(recorded, cancellationToken);
                }
                catch (Exception e) when (e is not OperationCanceledException and not NpgsqlException)
                {
                    // It would fail again. To know nothing is as good as to know of it: what is read now has it in.
                    LogUntold(e, recorded.Position);
                    Reset();
                }
            }
            _position = page.Count == PageSize ? page[^1].Position : head;
        }
    }

    private async ValueTask TellAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        var @event = await _reader.ReadAsync(recorded, cancellationToken);
        foreach (var observer in _observers)
        {
            if (observer.EventTypes.Contains(@event.GetType()))
                observer.Observe(recorded, @event);
        }
    }

    private void Reset()
    {
        foreach (var observer in _observers)
            observer.Reset();
    }

    [LoggerMessage(LogLevel.Warning, "The log cannot be followed; caches stay empty until it can")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Error, "The event at position {Position} could not be told to observers; they were reset")]
    private partial void LogUntold(Exception exception, long position);

    [LoggerMessage(LogLevel.Warning, "The log is followed again")]
    private partial void LogRecovered();
}
