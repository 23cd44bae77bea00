using Npgsql;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// Ends responses that were made in the background, once it is on record what they came to. The last event of a stream is what is answered from then
/// on, whoever writes it: the instance that made the response, or, where that is gone, whoever reads it.
/// </summary>
[Singleton]
internal sealed class ResponseEnds(StoredResponses responses, OutputLog log, Database database, TimeProvider time)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    // The outcome of a call is recorded late when the database is away; nobody waits here meanwhile.
    private const int MostTries = 600;

    // Longer than the last that came is tried to be kept (OutputLog.Patience) behind the outcome.
    private static readonly TimeSpan Abandoned = OutputLog.Patience * 2;

    /// <summary>Waits for the outcome, and ends the response.</summary>
    /// <param name="tenantId">The organization.</param>
    /// <param name="responseId">The response.</param>
    /// <param name="once">Does not wait: the instance stops.</param>
    public async Task WriteAsync(Guid tenantId, string responseId, bool once)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var response = await responses.FindAsync(Access.ToAll(tenantId), responseId, CancellationToken.None);
                // Deleted, or its person is erased.
                if (response is null)
                    return;
                if (response.Status.IsFinal())
                {
                    await WriteAsync(tenantId, response, CancellationToken.None);
                    return;
                }
                if (once || tries == MostTries)
                    return;
            }
            catch (Exception e) when (!once && tries < MostTries && e is not OutOfMemoryException)
            {
                // Later: the database may be away for what is read, written, or needed to seal it.
            }
            await Task.Delay(RetryDelay, time);
        }
    }

    /// <summary>Ends a response of which it is known what it came to.</summary>
    public async Task WriteAsync(Guid tenantId, StoredResponse response, CancellationToken cancellationToken)
    {
        if (response.Background is not { HasEnded: false } row)
            return;
        if (!row.IsStreamed)
        {
            await RunAsync(
                "update gateway.background_responses set ended_at = now() where tenant_id = $1 and response_id = $2 and ended_at is null",
                tenantId,
                response.Id,
                cancellationToken
            );
            return;
        }
        var number = await log.LastNumberAsync(tenantId, response.Id, cancellationToken) + 1;
        var output = new PooledBytes();
        try
        {
            ResponseEvents.Write(ref output, ResponseStatuses.LastEventOf(response.Status), number, response.Response);
            await log.AppendAsync(
                new OutputBatch(
                    tenantId,
                    response.Id,
                    response.InferenceId,
                    row.SubjectId,
                    number,
                    number,
                    output.Memory.ToArray(),
                    IsLast: true
                ),
                cancellationToken
            );
        }
        finally
        {
            output.Dispose();
        }
    }

    /// <summary>
    /// Ends a response that nobody makes any more, if that is so: its instance is gone, and has left an outcome or was found to be gone; or it has had
    /// an outcome for so long that whoever made it would have ended it.
    /// </summary>
    /// <returns>True when it has ended.</returns>
    public async Task<bool> EndIfLeftAsync(Access access, string responseId, CancellationToken cancellationToken)
    {
        if (await responses.FindAsync(access, responseId, cancellationToken) is not { Background: { } row } response)
            return true;
        if (row.HasEnded || !response.Status.IsFinal())
            return false;
        if (!row.IsLost && await IsMadeAsync(access.TenantId, response.InferenceId, row.InstanceId, cancellationToken))
            return false;
        await WriteAsync(access.TenantId, response, cancellationToken);
        return false;
    }

    /// <summary>Nothing more comes of a response that this instance was making: unless there is an outcome, it has failed.</summary>
    /// <param name="tenantId">The organization.</param>
    /// <param name="responseId">The response.</param>
    /// <param name="once">Is not tried again: the instance stops, and another finds the call without an outcome.</param>
    public async Task GiveUpAsync(Guid tenantId, string responseId, bool once)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await RunAsync(
                    "update gateway.background_responses set lost_at = now() where tenant_id = $1 and response_id = $2 and lost_at is null",
                    tenantId,
                    responseId,
                    CancellationToken.None
                );
                return;
            }
            catch (NpgsqlException) when (!once && tries < MostTries)
            {
                await Task.Delay(RetryDelay, time);
            }
        }
    }

    private async Task<bool> IsMadeAsync(
        Guid tenantId,
        Guid inferenceId,
        Guid instanceId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select exists (select 1 from gateway.instances where id = $1) and not exists (
                select 1 from platform.events where tenant_id = $2 and stream_id = $3 and version > 1 and time < $4)
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = instanceId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = inferenceId });
        command.Parameters.Add(
            new NpgsqlParameter<DateTime> { TypedValue = (time.GetUtcNow() - Abandoned).UtcDateTime }
        );
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task RunAsync(string sql, Guid tenantId, string responseId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = responseId });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
