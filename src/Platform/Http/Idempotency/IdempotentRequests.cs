using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>Names a request that must happen once: a key of a caller, for a route.</summary>
internal sealed record IdempotentRequest(Guid TenantId, string Actor, string Route, string Key, byte[] Fingerprint);

/// <summary>What is known of a request when it comes.</summary>
internal abstract record IdempotentStart
{
    /// <summary>It is new, and this execution owns it.</summary>
    public sealed record Begun(Guid Attempt) : IdempotentStart;

    /// <summary>It was answered.</summary>
    public sealed record Answered(IdempotentAnswer Answer) : IdempotentStart;

    /// <summary>The key belongs to another request.</summary>
    public sealed record KeyReused : IdempotentStart;

    /// <summary>It is being carried out.</summary>
    public sealed record InProgress : IdempotentStart;

    /// <summary>It was carried out, and its answer was lost.</summary>
    public sealed record AnswerLost(string RequestId) : IdempotentStart;
}

/// <summary>
/// The requests with an <c>Idempotency-Key</c>, of all instances. A row is inserted before a request is carried out, so of two at once one
/// wins. What it records marks the row in the same transaction: a request whose instance died may be carried out again only if it had
/// recorded nothing.
/// </summary>
internal sealed class IdempotentRequests(Database database, MasterKey masterKey)
{
    /// <summary>The SQLSTATE of an append by an execution that lost its row to another.</summary>
    public const string Superseded = "VB002";

    // Twice the time that the slowest answer may take: who is silent for so long has died.
    private const string Lease = "interval '60 seconds'";
    private const string Lifetime = "interval '24 hours'";

    /// <summary>The same as a time span.</summary>
    public static TimeSpan Kept { get; } = TimeSpan.FromHours(24);

    /// <summary>Begins a request, or tells what came of it before.</summary>
    public async Task<IdempotentStart> StartAsync(
        IdempotentRequest request,
        Guid attempt,
        string requestId,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            if (await TryInsertAsync(request, attempt, requestId, cancellationToken))
                return new IdempotentStart.Begun(attempt);
            // None: the execution that had the row has just given it up.
            if (await FindAsync(request, cancellationToken) is { } known)
                return known;
        }
    }

    /// <summary>The statement that marks the row, for the transaction in which the execution records something.</summary>
    public static SqlWrite MarkEffect(Guid attempt) => new("select platform.mark_idempotent_effect($1)", attempt);

    /// <summary>Keeps the answer.</summary>
    public async Task FinishAsync(Guid attempt, IdempotentAnswer answer, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "update platform.idempotent_requests set answer = $2 where attempt = $1"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = attempt });
        command.Parameters.Add(
            new NpgsqlParameter<byte[]> { TypedValue = masterKey.Seal(answer.Write(), PurposeOf(attempt)) }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Lets the request be carried out anew, unless it has recorded something.</summary>
    public async Task ReleaseAsync(Guid attempt, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "delete from platform.idempotent_requests where attempt = $1 and not has_effect"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = attempt });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // Takes over a row that is too old, or whose execution fell silent without having recorded anything.
    private async Task<bool> TryInsertAsync(
        IdempotentRequest request,
        Guid attempt,
        string requestId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            $"""
            insert into platform.idempotent_requests as r (tenant_id, actor, route, key, fingerprint, attempt, request_id)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (tenant_id, actor, route, key) do update
                set fingerprint = excluded.fingerprint, attempt = excluded.attempt, request_id = excluded.request_id,
                    started_at = now(), has_effect = false, answer = null
                where r.started_at <= now() - {Lifetime}
                    or (r.answer is null and not r.has_effect and r.fingerprint = excluded.fingerprint
                        and r.started_at <= now() - {Lease})
            """
        );
        AddKey(command, request);
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = request.Fingerprint });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = attempt });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = requestId });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private async Task<IdempotentStart?> FindAsync(IdempotentRequest request, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            $"""
            select fingerprint, attempt, answer, has_effect and started_at <= now() - {Lease}, request_id
            from platform.idempotent_requests where tenant_id = $1 and actor = $2 and route = $3 and key = $4
            """
        );
        AddKey(command, request);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        if (!reader.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(request.Fingerprint))
            return new IdempotentStart.KeyReused();
        if (!await reader.IsDBNullAsync(2, cancellationToken))
            return new IdempotentStart.Answered(
                IdempotentAnswer.Read(masterKey.Open(reader.GetFieldValue<byte[]>(2), PurposeOf(reader.GetGuid(1))))
            );
        return reader.GetBoolean(3)
            ? new IdempotentStart.AnswerLost(reader.GetString(4))
            : new IdempotentStart.InProgress();
    }

    private static void AddKey(NpgsqlCommand command, IdempotentRequest request)
    {
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = request.TenantId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = request.Actor });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = request.Route });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = request.Key });
    }

    internal static string PurposeOf(Guid attempt) => $"platform.idempotent-answer:{attempt}";
}
