using System.Diagnostics.Metrics;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// What there is to watch, under the meter <c>Verbatim</c>. A lag is the same on every instance: it is the database's, seconds old.
/// </summary>
public sealed class MessagingMeters : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Verbatim";

    private readonly Meter _meter = new(MeterName);
    private volatile IReadOnlyList<(string Name, long Events, double Seconds)> _lags = [];

    /// <summary>Makes the instruments.</summary>
    public MessagingMeters()
    {
        _meter.CreateObservableGauge(
            "verbatim.subscription.lag",
            () => _lags.Select(l => new Measurement<long>(l.Events, Tag("subscription", l.Name))),
            "{event}",
            "Events of the log that a subscription has not passed yet."
        );
        _meter.CreateObservableGauge(
            "verbatim.subscription.lag.age",
            () => _lags.Select(l => new Measurement<double>(l.Seconds, Tag("subscription", l.Name))),
            "s",
            "Age of the first of them."
        );
        DeadLetters = _meter.CreateCounter<long>(
            "verbatim.subscription.dead_letters",
            "{event}",
            "Events that a subscription gave up on this instance."
        );
        Jobs = _meter.CreateCounter<long>(
            "verbatim.jobs.attempts",
            "{attempt}",
            "Attempts at jobs that came to some end on this instance."
        );
    }

    internal Counter<long> DeadLetters { get; }

    internal Counter<long> Jobs { get; }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    internal async Task MeasureLagsAsync(
        NpgsqlConnection connection,
        string[] names,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select name, lag, lag_seconds from platform.subscription_lags where name = any($1)",
            connection
        );
        await using var reader = await command.With(names).ExecuteReaderAsync(cancellationToken);
        var lags = new List<(string, long, double)>();
        while (await reader.ReadAsync(cancellationToken))
            lags.Add((reader.GetString(0), reader.GetInt64(1), reader.GetDouble(2)));
        _lags = lags;
    }
}
