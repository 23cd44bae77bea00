using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Messaging.Jobs;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>
/// Everything at once: instances that append, subscribe and work, killed at random, and Postgres with them, while transactions are held
/// open. <c>VERBATIM_SOAK_EVENTS</c> says how many events; <c>VERBATIM_SOAK_SEED</c> repeats a run's choices.
/// </summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int Instances = 3;
    private const int DefaultEvents = 20_000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_event_is_applied_once_and_in_order_and_each_job_ends_once_whatever_is_killed()
    {
        var events = Setting("VERBATIM_SOAK_EVENTS", DefaultEvents);
        var seed = Setting("VERBATIM_SOAK_SEED", Environment.TickCount);
        output.WriteLine($"{events} events, seed {seed}");
        var random = new Random(seed);
        using var home = new TemporaryHome();
        await using var postgres = await EmbeddedPostgres.StartAsync(
            new()
            {
                Home = home.Path,
                Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_connections"] = "400" },
            },
            Cancelled
        );
        await MigratedDatabase.MigrateAsync(postgres.ConnectionString);
        await using var store = new TestStore(postgres.ConnectionString);
        await store.ExecuteAsync(Applier.Schema);
        await store.ExecuteAsync(Worker.Schema);

        using var done = new CancellationTokenSource();
        var holding = HoldTransactionsAsync(store, done.Token);
        var instances = new List<ChildProcess>();
        for (var i = 0; i < Instances; i++)
            instances.Add(Start(postgres, $"{i}", events));

        // Something is killed each time that another part of the events is stored.
        var kills = Math.Clamp(events / 3_000, 4, 200);
        var databaseKills = 0;
        for (var kill = 1; kill <= kills; kill++)
        {
            var goal = (long)events * kill / (kills + 1);
            await UntilAsync(store, $"select coalesce(max(position), 0) >= {goal} from platform.events", events);
            if (kill % 3 == 0)
            {
                databaseKills++;
                await KillAsync(postgres);
            }
            else
            {
                var victim = random.Next(Instances);
                await instances[victim].DisposeAsync();
                instances[victim] = Start(postgres, $"{victim}.{kill}", events);
            }
        }
        await UntilAsync(store, $"select coalesce(max(position), 0) >= {events} from platform.events", events);
        await done.CancelAsync();
        await holding;
        await UntilAsync(
            store,
            """
            select min(lag) = 0 and max(lag) = 0 and not exists(select from platform.jobs where status in ('waiting', 'running'))
            from platform.subscription_lags
            """,
            events
        );
        output.WriteLine($"{kills - databaseKills} instances and {databaseKills} servers killed");
        foreach (var instance in instances)
            await instance.StopAsync(Cancelled);

        await CheckAsync(store, "test.one-lane", "'test.noted', 'test.stepped'");
        await CheckAsync(store, "test.lanes", "'test.noted'");
        Assert.Equal(0, await store.QueryAsync<long>("select count(*) from platform.dead_letters"));
        Assert.Equal(0, await store.QueryAsync<long>("select count(*) from platform.jobs where status <> 'done'"));
        Assert.True(await store.QueryAsync<long>("select count(*) from platform.jobs") > events / 100);
        Assert.Equal(
            0,
            await store.QueryAsync<long>(
                """
                select count(*) from platform.jobs j full join public.worked w
                    on (j.payload::json ->> 'number')::bigint = w.number
                where j.id is null or w.n is null
                """
            )
        );
        Assert.Equal(
            await store.QueryAsync<long>("select count(*) from platform.jobs"),
            await store.QueryAsync<long>("select count(*) from public.worked")
        );
    }

    // In the database, since there may be millions.
    private static async Task CheckAsync(TestStore store, string subscription, string types)
    {
        Assert.Equal(
            0,
            await store.QueryAsync<long>(
                $"""
                select count(*) from (select * from platform.events where type in ({types})) e
                full join (select position, count(*) as times from public.applied where subscription = '{subscription}' group by position) a
                    on a.position = e.position
                where e.position is null or a.position is null or a.times <> 1
                """
            )
        );
        Assert.Equal(
            0,
            await store.QueryAsync<long>(
                $"""
                select count(*) from (
                    select position, lag(position) over (partition by stream_id order by n) as before
                    from public.applied where subscription = '{subscription}') a
                where before > position
                """
            )
        );
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;

    private static ChildProcess Start(EmbeddedPostgres postgres, string name, int events) =>
        ChildProcess.Start<SoakProcess>([postgres.ConnectionString, name, $"{events}"]);

    private static async Task UntilAsync(TestStore store, string condition, int events)
    {
        var patience = TimeSpan.FromSeconds(120 + events / 500);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await store.QueryAsync<bool>(condition))
                    return;
            }
            catch (NpgsqlException)
            {
                // The server was killed.
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < patience, $"It does not come to pass: {condition}");
            await Task.Delay(50, Cancelled);
        }
    }

    private static async Task HoldTransactionsAsync(TestStore store, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            try
            {
                await using var connection = await store.Database.Dedicated.OpenConnectionAsync(Cancelled);
                await using var hold = new NpgsqlCommand(
                    "begin isolation level repeatable read; select count(*) from platform.subscription_checkpoints; select pg_sleep(3)",
                    connection
                );
                await hold.ExecuteNonQueryAsync(Cancelled);
            }
            catch (NpgsqlException)
            {
                await Task.Delay(100, Cancelled);
            }
        }
    }

    private static async Task KillAsync(EmbeddedPostgres postgres)
    {
        var restarted = new TaskCompletionSource();
        EventHandler restart = (_, _) => restarted.TrySetResult();
        postgres.Restarted += restart;
        var postmaster = postgres.ProcessId;
        var all = (await File.ReadAllTextAsync($"/proc/{postmaster}/task/{postmaster}/children", Cancelled))
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
        await restarted.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancelled);
        postgres.Restarted -= restart;
    }
}
