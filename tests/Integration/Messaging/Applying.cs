using System.Collections.Concurrent;
using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Events;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>
/// What the handlers of these tests do: they write a row for each event, in the order in which they are called. The table has no key, so
/// what is done twice is seen.
/// </summary>
internal sealed class Applier(string instance)
{
    public const string Schema =
        "create table public.applied (n bigserial, subscription text, stream_id uuid, version bigint, position bigint, instance text)";

    /// <summary>Streams whose notes with this text fail, and how often still.</summary>
    public ConcurrentDictionary<string, int> Failing { get; } = new(StringComparer.Ordinal);

    public async Task ApplyAsync(
        string subscription,
        string? text,
        Message message,
        CancellationToken cancellationToken
    )
    {
        if (text is not null && Failing.TryGetValue(text, out var left) && left > 0)
        {
            Failing[text] = left - 1;
            throw new InvalidOperationException($"It fails at '{text}'.");
        }
        await using var command = new NpgsqlCommand(
            "insert into public.applied (subscription, stream_id, version, position, instance) values ($1, $2, $3, $4, $5)",
            message.Transaction.Connection
        );
        var recorded = message.Recorded;
        foreach (
            object value in (object[])[subscription, recorded.StreamId, recorded.Version, recorded.Position, instance]
        )
            command.Parameters.AddWithValue(value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>One lane, and two types of events.</summary>
[Subscription("test.one-lane", BatchSize = 50, MaxAttempts = 3)]
internal static class OnAnything
{
    public static Task HandleAsync(
        Noted noted,
        Message message,
        Applier applier,
        CancellationToken cancellationToken
    ) => applier.ApplyAsync("test.one-lane", noted.Text, message, cancellationToken);

    public static Task HandleAsync(Stepped _, Message message, Applier applier, CancellationToken cancellationToken) =>
        applier.ApplyAsync("test.one-lane", null, message, cancellationToken);
}

[Subscription("test.lanes", Lanes = 4, BatchSize = 20, MaxAttempts = 3)]
internal static class OnNotedInFourLanes
{
    public static Task HandleAsync(
        Noted noted,
        Message message,
        Applier applier,
        CancellationToken cancellationToken
    ) => applier.ApplyAsync("test.lanes", noted.Text, message, cancellationToken);
}

[Subscription("test.lanes", Lanes = 3, BatchSize = 30, MaxAttempts = 3)]
internal static class OnNotedInThreeLanes
{
    public static Task HandleAsync(
        Noted noted,
        Message message,
        Applier applier,
        CancellationToken cancellationToken
    ) => applier.ApplyAsync("test.lanes", noted.Text, message, cancellationToken);
}

[Subscription("test.lanes", Lanes = 4, MaxAttempts = 1000)]
internal static class OnNotedPatiently
{
    public static Task HandleAsync(
        Noted noted,
        Message message,
        Applier applier,
        CancellationToken cancellationToken
    ) => applier.ApplyAsync("test.lanes", noted.Text, message, cancellationToken);
}

/// <summary>What the appliers wrote.</summary>
internal static class Applied
{
    public static async Task<List<(Guid Stream, long Position, string Instance)>> ReadAsync(
        TestStore store,
        string subscription
    )
    {
        await using var command = store.Database.Writes.CreateCommand(
            "select stream_id, position, instance from public.applied where subscription = $1 order by n"
        );
        command.Parameters.AddWithValue(subscription);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var applied = new List<(Guid, long, string)>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            applied.Add((reader.GetGuid(0), reader.GetInt64(1), reader.GetString(2)));
        return applied;
    }

    /// <summary>Each event once, and those of each stream in order.</summary>
    public static async Task CheckAsync(TestStore store, string subscription, params string[] types)
    {
        var expected = (await store.ReadAllAsync()).Where(e => types.Contains(e.Type)).ToList();
        var applied = await ReadAsync(store, subscription);
        Assert.Equal(expected.Select(e => e.Position), applied.Select(a => a.Position).Order());
        foreach (var stream in applied.GroupBy(a => a.Stream))
            Assert.Equal(stream.Select(a => a.Position).Order(), stream.Select(a => a.Position));
    }

    public static Task ReachesAsync(TestStore store, string subscription, long position) =>
        Eventually.UntilAsync(
            async () =>
                await store.QueryAsync<long>(
                    $"select coalesce((select position from platform.subscription_positions where name = '{subscription}'), -1)"
                ) >= position,
            $"{subscription} does not reach {position}."
        );

    public static string TextOf(RecordedEvent recorded)
    {
        using var json = JsonDocument.Parse(recorded.Data);
        return json.RootElement.GetProperty("text").GetString()!;
    }
}
