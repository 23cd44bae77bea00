using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>Several instances as processes of their own, appending at the same time, some of them killed, or the server under them.</summary>
public sealed class ProcessesTests(SharedPostgres server)
{
    private const int Writers = 8;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_subscriber_sees_every_position_once_and_in_order()
    {
        var connectionString = await MigratedDatabase.CreateAsync(server);
        await using var store = new TestStore(connectionString);
        using var done = new CancellationTokenSource();
        var reading = FollowAsync(store, done.Token);
        var holding = HoldTransactionsAsync(store, done.Token);

        await using var one = new Instance(connectionString, "one");
        await using var two = new Instance(connectionString, "two");
        await one.AcknowledgedAsync(1500);
        await two.AcknowledgedAsync(1500);
        await one.StopAsync();
        await two.StopAsync();

        await done.CancelAsync();
        await holding;
        var seen = await reading;
        var head = await store.Events.ReadHeadAsync(Cancelled);
        Assert.Equal(Enumerable.Range(1, (int)head).Select(p => (long)p), seen);
        await CheckAsync(store, one, two);
    }

    [Fact]
    public async Task What_a_killed_process_had_acknowledged_is_stored_and_others_go_on()
    {
        var connectionString = await MigratedDatabase.CreateAsync(server);
        await using var store = new TestStore(connectionString);
        await using var survivor = new Instance(connectionString, "survivor");
        var killed = new List<Instance>();
        for (var round = 0; round < 5; round++)
        {
            var victim = new Instance(connectionString, $"victim-{round}");
            killed.Add(victim);
            await victim.AcknowledgedAsync(100 + 37 * round);
            await victim.KillAsync();
            await survivor.AcknowledgedAsync(survivor.Acknowledged.Count + 100);
        }
        await survivor.StopAsync();

        await CheckAsync(store, [survivor, .. killed]);
    }

    [Fact]
    public async Task What_was_acknowledged_survives_the_death_of_Postgres_and_writers_go_on()
    {
        using var home = new TemporaryHome();
        await using var postgres = await EmbeddedPostgres.StartAsync(new() { Home = home.Path }, Cancelled);
        await MigratedDatabase.MigrateAsync(postgres.ConnectionString);
        await using var one = new Instance(postgres.ConnectionString, "one");
        await using var two = new Instance(postgres.ConnectionString, "two");

        for (var round = 0; round < 5; round++)
        {
            await one.AcknowledgedAsync(one.Acknowledged.Count + 150);
            await two.AcknowledgedAsync(two.Acknowledged.Count + 150);
            var restarted = new TaskCompletionSource();
            EventHandler restart = (_, _) => restarted.TrySetResult();
            postgres.Restarted += restart;
            KillWithChildren(postgres.ProcessId);
            await restarted.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancelled);
            postgres.Restarted -= restart;
        }
        await one.AcknowledgedAsync(one.Acknowledged.Count + 150);
        await two.AcknowledgedAsync(two.Acknowledged.Count + 150);
        await one.StopAsync();
        await two.StopAsync();

        // Both were alive all the time, and patient: nothing is unknown to them.
        Assert.Empty(one.Unknown.Concat(two.Unknown));
        await using var store = new TestStore(postgres.ConnectionString);
        await CheckAsync(store, one, two);
    }

    // Every acknowledged append is there, where it was said to be, whole and once; no append is there twice or in part.
    private static async Task CheckAsync(TestStore store, params IReadOnlyList<Instance> instances)
    {
        var log = await store.ReadAllAsync();
        LogChecks.AssertSound(log);
        Assert.Equal(1, log[0].Position);

        var stored = new Dictionary<string, List<RecordedEvent>>(StringComparer.Ordinal);
        foreach (var recorded in log)
        {
            using var json = JsonDocument.Parse(recorded.Data);
            var token = json.RootElement.GetProperty("text").GetString()!.Split('#')[0];
            if (!stored.TryGetValue(token, out var events))
                stored.Add(token, events = []);
            events.Add(recorded);
        }
        foreach (var (token, events) in stored)
        {
            var n = int.Parse(token.Split('/')[2], CultureInfo.InvariantCulture);
            Assert.Equal(n % 7 == 6 ? 1 : 1 + n % 3, events.Count);
            Assert.Equal(events.Count - 1, events[^1].Position - events[0].Position);
        }
        foreach (var (token, position) in instances.SelectMany(i => i.Acknowledged))
        {
            Assert.True(stored.ContainsKey(token), $"{token} was acknowledged and is not stored.");
            if (position > 0)
                Assert.Equal(position, stored[token][^1].Position);
        }

        var documents = await store.QueryAsync<long>("select count(*) from documents.test_tally");
        Assert.Equal(
            documents,
            log.Where(e => e.StreamType == "test-tally").Select(e => e.StreamId).Distinct().Count()
        );
        Assert.Equal(
            log.Count(e => e.StreamType == "test-tally"),
            await store.QueryAsync<long>("select coalesce(sum((data ->> 'count')::int), 0) from documents.test_tally")
        );
    }

    private static async Task<List<long>> FollowAsync(TestStore store, CancellationToken done)
    {
        var seen = new List<long>();
        while (true)
        {
            var isLast = done.IsCancellationRequested;
            await foreach (var recorded in store.Events.ReadAllAsync(seen.Count > 0 ? seen[^1] : 0, Cancelled))
                seen.Add(recorded.Position);
            if (isLast)
                return seen;
        }
    }

    // What makes readers of other event stores wait or skip: transactions that were begun before others and end after them.
    private static Task HoldTransactionsAsync(TestStore store, CancellationToken done) =>
        Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(async i =>
                {
                    while (!done.IsCancellationRequested)
                    {
                        await using var connection = await store.Database.Dedicated.OpenConnectionAsync(Cancelled);
                        await using var hold = new NpgsqlCommand(
                            $"""
                            begin isolation level {(i % 2 == 0 ? "repeatable read" : "read committed")};
                            select count(*) from platform.events;
                            insert into platform.subscriptions (name) values (gen_random_uuid()::text);
                            select pg_sleep({(i + 1) / 10.0}::float8)
                            """,
                            connection
                        );
                        await hold.ExecuteNonQueryAsync(Cancelled);
                        await using var end = new NpgsqlCommand(i == 3 ? "commit" : "rollback", connection);
                        await end.ExecuteNonQueryAsync(Cancelled);
                    }
                })
        );

    private static void KillWithChildren(int postmaster)
    {
        var all = File.ReadAllText($"/proc/{postmaster}/task/{postmaster}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture))
            .Prepend(postmaster);
        foreach (var id in all)
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill();
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It has ended by itself.
            }
        }
    }

    private sealed class Instance : IAsyncDisposable
    {
        private readonly ChildProcess _process;
        private readonly Task _reading;

        public Instance(string connectionString, string name)
        {
            _process = ChildProcess.Start<AppendingProcess>([
                connectionString,
                name,
                $"{Writers}",
                $"{Guid.CreateVersion7()}",
            ]);
            _reading = Task.Run(ReadAsync);
        }

        public ConcurrentQueue<(string Token, long Position)> Acknowledged { get; } = new();

        public ConcurrentQueue<string> Unknown { get; } = new();

        public async Task AcknowledgedAsync(int count)
        {
            var started = Stopwatch.GetTimestamp();
            while (Acknowledged.Count < count)
            {
                Assert.False(_reading.IsCompleted, "The process has ended.");
                Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(90), "It does not go on.");
                await Task.Delay(5, Cancelled);
            }
        }

        public async Task KillAsync()
        {
            await _process.KillAsync(Cancelled);
            await _reading;
        }

        public async Task StopAsync()
        {
            Assert.Equal(0, await _process.StopAsync(Cancelled));
            await _reading;
        }

        public ValueTask DisposeAsync() => _process.DisposeAsync();

        private async Task ReadAsync()
        {
            while (await ReadLineAsync() is { } line && line != "end")
            {
                var parts = line.Split(' ');
                if (parts.Length != 2)
                    continue;
                if (parts[1] == "?")
                    Unknown.Enqueue(parts[0]);
                else
                    Acknowledged.Enqueue((parts[0], long.Parse(parts[1], CultureInfo.InvariantCulture)));
            }
        }

        // A line is written to the pipe at once (it is shorter than PIPE_BUF, pipe(7)), so a kill leaves none cut off.
        private async Task<string?> ReadLineAsync()
        {
            try
            {
                return await _process.ReadLineAsync(CancellationToken.None);
            }
            catch (InvalidOperationException)
            {
                return null;
            }
        }
    }
}
