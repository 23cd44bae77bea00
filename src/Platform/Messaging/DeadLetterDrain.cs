using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

internal sealed partial class SubscriptionLane
{
    /// <summary>
    /// Carries out what people decided about dead letters of the lane: handles what is to be tried again, and then what is parked behind
    /// it, in order. It is the lane's own work, so nothing new of these streams comes in between.
    /// </summary>
    private sealed class DeadLetterDrain(SubscriptionLane lane)
    {
        // Then the lane's other streams have a turn.
        private const int MaxLettersAtOnce = 1000;
        private const int MaxAttempts = 3;

        private const string IsOfTheStream =
            "subscription = $1 and tenant_id = $2 and stream_id = $3 and status in ('waiting', 'retrying', 'discarding', 'parked')";

        private readonly SubscriptionContext _context = lane._context;
        private int _left = MaxLettersAtOnce;

        private string Name => lane._subscription.Name;

        private sealed record Letter(Guid Id, long Position, string Status, int Attempts);

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            try
            {
                foreach (var stream in await ReadDecidedAsync(cancellationToken))
                {
                    await DrainAsync(stream, cancellationToken);
                    if (_left > 0)
                        continue;
                    lane.LookAtDecided();
                    return;
                }
            }
            catch
            {
                lane.LookAtDecided();
                throw;
            }
        }

        private async Task DrainAsync(StreamKey stream, CancellationToken cancellationToken)
        {
            for (; _left > 0; _left--)
            {
                var letter = await ReadFirstAsync(stream, cancellationToken);
                switch (letter?.Status)
                {
                    case null:
                        lane._blocked.Remove(stream);
                        return;
                    case "waiting":
                        await DiscardBehindAsync(stream, cancellationToken);
                        return;
                    case "discarding":
                        await CloseAsync(stream, letter, cancellationToken);
                        break;
                    default:
                        if (!await TryHandleAsync(stream, letter, cancellationToken))
                            return;
                        break;
                }
            }
        }

        private async Task<bool> TryHandleAsync(StreamKey stream, Letter letter, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await HandleAsync(stream, letter, cancellationToken);
                    return true;
                }
                catch (Exception e) when (IsOfAHandler(e, cancellationToken))
                {
                    if (attempt >= Math.Min(MaxAttempts, lane._subscription.MaxAttempts) || Failure.IsUnreadable(e))
                    {
                        await FailAsync(stream, letter, attempt, Failure.Reason(e), cancellationToken);
                        return false;
                    }
                }
                await Task.Delay(Backoff.After(attempt), _context.Time, cancellationToken);
            }
        }

        private async Task HandleAsync(StreamKey stream, Letter letter, CancellationToken cancellationToken)
        {
            var connection = await lane.ConnectAsync(cancellationToken);
            var recorded =
                await LogReader.ReadAtAsync(connection, letter.Position, cancellationToken)
                ?? throw new InvalidDataException($"The log has no event at position {letter.Position}.");
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using (var scope = _context.Services.CreateAsyncScope())
            {
                var together = new MessageBatches();
                await lane.CallAsync(recorded, transaction, together, scope.ServiceProvider, cancellationToken);
                await together.WriteAsync(transaction, cancellationToken);
            }
            await CommitAsync(stream, letter, "handled", connection, transaction);
        }

        private async Task CloseAsync(StreamKey stream, Letter letter, CancellationToken cancellationToken)
        {
            var connection = await lane.ConnectAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await CommitAsync(stream, letter, "discarded", connection, transaction);
        }

        private async Task CommitAsync(
            StreamKey stream,
            Letter letter,
            string status,
            NpgsqlConnection connection,
            NpgsqlTransaction transaction
        )
        {
            await using var batch = new NpgsqlBatch(connection, transaction);
            batch
                .Add(
                    """
                    update platform.dead_letters set status = $3, closed_at = clock_timestamp()
                    where tenant_id = $1 and id = $2
                    """
                )
                .With(stream.TenantId)
                .With(letter.Id)
                .With(status);
            // The first open letter of a stream is never parked: the next one is up.
            batch
                .Add(
                    $"""
                    update platform.dead_letters set status = 'retrying'
                    where {IsOfTheStream} and status = 'parked'
                        and position = (select min(position) from platform.dead_letters where {IsOfTheStream})
                    """
                )
                .With(Name)
                .With(stream.TenantId)
                .With(stream.StreamId);
            await lane.CommitAsync(batch, lane._position);
        }

        private async Task FailAsync(
            StreamKey stream,
            Letter letter,
            int attempts,
            string reason,
            CancellationToken cancellationToken
        )
        {
            await using var command = new NpgsqlCommand(
                """
                update platform.dead_letters set status = 'waiting', reason = $3, attempts = attempts + $4,
                    first_failed_at = coalesce(first_failed_at, clock_timestamp()), last_failed_at = clock_timestamp()
                where tenant_id = $1 and id = $2
                """,
                await lane.ConnectAsync(cancellationToken)
            );
            command.With(stream.TenantId).With(letter.Id).With(reason).With(attempts);
            await command.ExecuteNonQueryAsync(cancellationToken);
            lane.LogBuried(Name, letter.Position, reason);
        }

        private async Task DiscardBehindAsync(StreamKey stream, CancellationToken cancellationToken)
        {
            await using var command = new NpgsqlCommand(
                $"""
                update platform.dead_letters set status = 'discarded', closed_at = clock_timestamp()
                where {IsOfTheStream} and status = 'discarding'
                """,
                await lane.ConnectAsync(cancellationToken)
            );
            await command
                .With(Name)
                .With(stream.TenantId)
                .With(stream.StreamId)
                .ExecuteNonQueryAsync(cancellationToken);
        }

        private async Task<List<StreamKey>> ReadDecidedAsync(CancellationToken cancellationToken)
        {
            await using var command = new NpgsqlCommand(
                """
                select distinct tenant_id, stream_id from platform.dead_letters
                where subscription = $1 and status in ('retrying', 'discarding')
                    and platform.lane_of(tenant_id, stream_id, $2) = $3
                """,
                await lane.ConnectAsync(cancellationToken)
            );
            command.With(Name).With(lane._lanes).With(lane._lane);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var streams = new List<StreamKey>();
            while (await reader.ReadAsync(cancellationToken))
                streams.Add(new StreamKey(reader.GetGuid(0), reader.GetGuid(1)));
            return streams;
        }

        private async Task<Letter?> ReadFirstAsync(StreamKey stream, CancellationToken cancellationToken)
        {
            await using var command = new NpgsqlCommand(
                $"select id, position, status, attempts from platform.dead_letters where {IsOfTheStream} order by position limit 1",
                await lane.ConnectAsync(cancellationToken)
            );
            command.With(Name).With(stream.TenantId).With(stream.StreamId);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken)
                ? new Letter(reader.GetGuid(0), reader.GetInt64(1), reader.GetString(2), reader.GetInt32(3))
                : null;
        }
    }
}
