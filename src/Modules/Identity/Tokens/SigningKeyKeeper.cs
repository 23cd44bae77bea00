using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Follows changes of the signing keys on this instance, and replaces keys that have come of age.</summary>
internal sealed partial class SigningKeyKeeper(
    SigningKeys keys,
    SigningKeyRotation rotation,
    TimeProvider time,
    ILogger<SigningKeyKeeper> logger
) : BackgroundService, ILogObserver
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly ILogger<SigningKeyKeeper> _logger = logger;
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    public IReadOnlyCollection<Type> EventTypes { get; } = [typeof(SigningKeyPublished), typeof(SigningKeyRetired)];

    public void Observe(RecordedEvent recorded, IEvent @event) => _changes.Writer.TryWrite(true);

    // Keys that were known stay good: not to know a newer one refuses a token, and lets none in.
    public void Reset() => _changes.Writer.TryWrite(true);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFailing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await keys.ReloadAsync(stoppingToken);
                await rotation.MaintainAsync(stoppingToken);
                isFailing = false;
                await WaitAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (!isFailing)
                    LogFailed(e);
                isFailing = true;
                await Task.Delay(RetryPause, time, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _changes
                .Reader.WaitToReadAsync(cancellationToken)
                .AsTask()
                .WaitAsync(CheckInterval, time, cancellationToken);
            _changes.Reader.TryRead(out _);
        }
        catch (TimeoutException)
        {
            // Time to look whether a key has come of age.
        }
    }

    [LoggerMessage(LogLevel.Warning, "The signing keys cannot be read; those that are known stay in use")]
    private partial void LogFailed(Exception exception);
}
