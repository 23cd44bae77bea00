using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// The days of an organization, whose keys end what was sealed on them: a body of a model call opens only with the key of its person and that of
/// its day. A day has a key among those of persons, by an id that tells which day it is.
/// </summary>
public sealed class PersonalDays
{
    private const string StreamType = "personal-days";
    private const string Format = "yyyy-MM-dd";

    // A transaction ends so many days at most: whoever sets a retention for the first time may have years of them.
    private const int MaxAtOnce = 100;

    // All of an id but the number of its day.
    private static ReadOnlySpan<byte> Marker => [0, 0, 0, 0, 0, 0, 0x80, 0, 0x80, 0, 0, 0];

    private readonly Database _database;
    private readonly EventStore _events;
    private readonly SubjectKeys _keys;
    private readonly Subjects _subjects;
    private readonly IdSource _ids;

    internal PersonalDays(Database database, EventStore events, SubjectKeys keys, Subjects subjects, IdSource ids) =>
        (_database, _events, _keys, _subjects, _ids) = (database, events, keys, subjects, ids);

    /// <summary>
    /// Destroys the keys of the days before one, each with a <see cref="DayErased"/> in the same transaction. From its commit on nobody can
    /// open what was sealed on them to end with them.
    /// </summary>
    /// <param name="context">Whose days, and who ends them.</param>
    /// <param name="before">The first that stays; today stays whatever this says.</param>
    /// <param name="cancellationToken">Ends it between two transactions.</param>
    /// <returns>The days that ended now, in their order.</returns>
    public async Task<IReadOnlyList<DateOnly>> EraseBeforeAsync(
        AppendContext context,
        DateOnly before,
        CancellationToken cancellationToken
    )
    {
        var ended = new List<DateOnly>();
        var today = _keys.Today;
        while (true)
        {
            var days = await FindAsync(context.TenantId, before < today ? before : today, cancellationToken);
            if (days.Count == 0)
                return ended;
            try
            {
                await _events.AppendAsync(
                    context,
                    [new StreamEvents(StreamType, _ids.New(), 0, [.. days.Select(d => new DayErased(d))])],
                    [.. days.Select(d => _subjects.DestroyKey(context.TenantId, IdOf(d)))],
                    cancellationToken
                );
            }
            catch (PostgresException e) when (e.SqlState == Subjects.NoKey)
            {
                // Another instance was faster, and is at the rest.
                return ended;
            }
            foreach (var day in days)
                _keys.Forget(context.TenantId, IdOf(day));
            ended.AddRange(days);
        }
    }

    /// <summary>The last day of an organization that has ended; null for none.</summary>
    public async Task<DateOnly?> FindLastErasedAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select subject_id from platform.subject_keys
            where tenant_id = $1 and subject_id between $2 and $3 and erased_at is not null
            order by subject_id desc limit 1
            """
        );
        command.With(tenantId).With(IdOf(DateOnly.MinValue)).With(IdOf(DateOnly.MaxValue));
        return await command.ExecuteScalarAsync(cancellationToken) is Guid id ? DayOf(id) : null;
    }

    // Version 8 (RFC 9562): ids of persons are of version 7, so the two never meet. They sort as the days do.
    internal static Guid IdOf(DateOnly day)
    {
        Span<byte> bytes = stackalloc byte[16];
        Marker.CopyTo(bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes[12..], day.DayNumber);
        return new Guid(bytes, bigEndian: true);
    }

    internal static bool IsDay(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return bytes.StartsWith(Marker);
    }

    internal static void Write(Utf8JsonWriter writer, DateOnly day)
    {
        Span<byte> text = stackalloc byte[Format.Length];
        day.TryFormat(text, out _, Format, CultureInfo.InvariantCulture);
        writer.WriteString("day"u8, text);
    }

    internal static bool TryParse(ReadOnlySpan<byte> text, out DateOnly day)
    {
        day = default;
        return text.Length == Format.Length
            && DateOnly.TryParseExact(
                Encoding.ASCII.GetString(text),
                Format,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out day
            );
    }

    private static DateOnly DayOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateOnly.FromDayNumber(BinaryPrimitives.ReadInt32BigEndian(bytes[12..]));
    }

    private async Task<List<DateOnly>> FindAsync(Guid tenantId, DateOnly before, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select subject_id from platform.subject_keys
            where tenant_id = $1 and subject_id >= $2 and subject_id < $3 and erased_at is null
            order by subject_id limit $4
            """
        );
        command.With(tenantId).With(IdOf(DateOnly.MinValue)).With(IdOf(before)).With(MaxAtOnce);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var days = new List<DateOnly>();
        while (await reader.ReadAsync(cancellationToken))
            days.Add(DayOf(reader.GetGuid(0)));
        return days;
    }
}

/// <summary>A day and its key.</summary>
/// <param name="Day">In UTC.</param>
/// <param name="Key">What is sealed on it opens with this one besides the person's.</param>
internal sealed record DayKey(DateOnly Day, SubjectKey Key);
