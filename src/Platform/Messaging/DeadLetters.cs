using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>An event that a subscription could not handle, or that waits behind such a one of its stream.</summary>
/// <param name="Id">The letter, newest last.</param>
/// <param name="TenantId">The organization.</param>
/// <param name="Subscription">Who could not handle it.</param>
/// <param name="StreamId">The event's stream.</param>
/// <param name="StreamType">The type of that stream.</param>
/// <param name="Position">The event, which is in the log and nowhere else.</param>
/// <param name="Type">The event's stored name.</param>
/// <param name="Status">
/// <c>waiting</c> for a decision; <c>retrying</c> or <c>discarding</c>, about to be done; <c>parked</c> behind an earlier one of its
/// stream; <c>handled</c> or <c>discarded</c>.
/// </param>
/// <param name="Reason">The last failure's type and message; null when it is parked.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="FirstFailedAt">When it failed first (UTC).</param>
/// <param name="LastFailedAt">When it failed last (UTC).</param>
/// <param name="CreatedAt">When it became a dead letter (UTC).</param>
/// <param name="ClosedAt">When it was handled or discarded (UTC).</param>
public sealed record DeadLetter(
    Guid Id,
    Guid TenantId,
    string Subscription,
    Guid StreamId,
    string StreamType,
    long Position,
    string Type,
    string Status,
    string? Reason,
    int Attempts,
    DateTime? FirstFailedAt,
    DateTime? LastFailedAt,
    DateTime CreatedAt,
    DateTime? ClosedAt
);

/// <summary>The events that subscriptions could not handle.</summary>
public sealed class DeadLetters
{
    /// <summary>Every status, in the order of a letter's life.</summary>
    public static readonly IReadOnlyList<string> Statuses =
    [
        "waiting",
        "retrying",
        "discarding",
        "parked",
        "handled",
        "discarded",
    ];

    /// <summary>The SQL state of an append whose <see cref="Retry"/> or <see cref="Discard"/> came too late: it was decided already.</summary>
    public const string AlreadyDecided = "VB004";

    private const string Columns =
        "id, tenant_id, subscription, stream_id, stream_type, position, type, status, reason, attempts, first_failed_at, last_failed_at, created_at, closed_at";

    private readonly Database _database;

    internal DeadLetters(Database database) => _database = database;

    /// <summary>Letters, newest first.</summary>
    /// <param name="tenantId">Of this organization; null, for an operator, of all.</param>
    /// <param name="subscription">Of this subscription, or null.</param>
    /// <param name="status">Of this status, or null.</param>
    /// <param name="before">Only those with a smaller id, or null.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<DeadLetter>> ListAsync(
        Guid? tenantId,
        string? subscription,
        string? status,
        Guid? before,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select {Columns} from platform.dead_letters
            where {(tenantId is null ? "$1::uuid is null" : "tenant_id = $1")}
                and ($2::text is null or subscription = $2) and ($3::text is null or status = $3) and id < $4
            order by id desc limit $5
            """
        );
        command.With(tenantId).With(subscription).With(status).With(before ?? Guid.AllBitsSet).With(limit);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>A letter, or null when this tenant has none of this id.</summary>
    /// <param name="tenantId">The organization; null, for an operator, any.</param>
    /// <param name="id">The letter.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<DeadLetter?> FindAsync(Guid? tenantId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select {Columns} from platform.dead_letters
            where {(tenantId is null ? "$1::uuid is null" : "tenant_id = $1")} and id = $2
            """
        );
        command.With(tenantId).With(id);
        return await ReadAsync(command, cancellationToken) is [var letter] ? letter : null;
    }

    /// <summary>The event of a letter as it stands in the log; null when the log has none there, which should not be.</summary>
    public async Task<RecordedEvent?> ReadEventAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(letter);
        await using var connection = await _database.Writes.OpenConnectionAsync(cancellationToken);
        return await LogReader.ReadAtAsync(connection, letter.Position, cancellationToken);
    }

    /// <summary>
    /// Has the event handled again, and then what is parked behind it: in the transaction that records who decided so. The instance that
    /// runs the subscription does it within a second or two.
    /// </summary>
    public static SqlWrite Retry(DeadLetter letter) => Decide(letter, "retrying");

    /// <summary>Gives the event up for this subscription, and has what is parked behind it handled: in the transaction that records who decided so.</summary>
    public static SqlWrite Discard(DeadLetter letter) => Decide(letter, "discarding");

    internal static SqlWrite Decide(DeadLetter letter, string status)
    {
        ArgumentNullException.ThrowIfNull(letter);
        return new SqlWrite(
            "select platform.decide_dead_letter($1, $2, $3, $4)",
            letter.TenantId,
            letter.Id,
            letter.Status,
            status
        );
    }

    private static async Task<IReadOnlyList<DeadLetter>> ReadAsync(
        NpgsqlCommand command,
        CancellationToken cancellationToken
    )
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var letters = new List<DeadLetter>();
        while (await reader.ReadAsync(cancellationToken))
            letters.Add(
                new DeadLetter(
                    reader.GetGuid(0),
                    reader.GetGuid(1),
                    reader.GetString(2),
                    reader.GetGuid(3),
                    reader.GetString(4),
                    reader.GetInt64(5),
                    reader.GetString(6),
                    reader.GetString(7),
                    reader.TextOrNull(8),
                    reader.GetInt32(9),
                    reader.TimeOrNull(10),
                    reader.TimeOrNull(11),
                    reader.GetDateTime(12),
                    reader.TimeOrNull(13)
                )
            );
        return letters;
    }
}
