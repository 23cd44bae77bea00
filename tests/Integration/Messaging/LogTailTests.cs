using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

public sealed class LogTailTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private const int PoolSize = 2;

    private readonly TestStore _other = new(database.ConnectionString);
    private readonly PostgresProxy _proxy = new(database.ConnectionString);
    private readonly Observer _observer = new();
    private TestStore _store = null!;
    private LogTail _tail = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _other.AppendAsync(Guid.CreateVersion7(), 0, new Noted("before the start"));
        _store = new TestStore($"{_proxy.ConnectionString};Maximum Pool Size={PoolSize}");
        _tail = new LogTail(
            [_observer],
            _store.Catalog,
            _store.Opener,
            _store.Database,
            TimeProvider.System,
            NullLogger<LogTail>.Instance
        );
        await _tail.StartAsync(Cancelled);
        await UntilAsync(() => _observer.Resets > 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _tail.StopAsync(CancellationToken.None);
        _tail.Dispose();
        await _store.DisposeAsync();
        await _other.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Another_instances_events_are_heard_within_a_second()
    {
        var late = new List<TimeSpan>();
        for (var i = 0; i < 9; i++)
        {
            await _other.AppendAsync(Guid.CreateVersion7(), 0, new Stepped(), new Noted($"{i}"));
            var appended = Stopwatch.GetTimestamp();
            await UntilAsync(() => _observer.Heard.Contains($"{i}"));
            late.Add(Stopwatch.GetElapsedTime(appended));
        }

        // The median, since this machine may be busy with something else now and then.
        Assert.InRange(late.Order().ElementAt(4), TimeSpan.Zero, LogTail.Deadline);
        Assert.Equal(Enumerable.Range(0, 9).Select(i => $"{i}"), _observer.Heard);
    }

    [Fact]
    public async Task More_than_a_page_is_heard_in_order()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 25)
                .Select(i =>
                    _other.AppendAsync(
                        Guid.CreateVersion7(),
                        0,
                        [.. Enumerable.Range(0, 100).Select(j => new Noted($"{i * 100 + j}"))]
                    )
                )
        );

        await UntilAsync(() => _observer.Heard.Count == 2500);
        Assert.Equal(Enumerable.Range(0, 2500).Select(i => $"{i}"), _observer.Heard);
    }

    [Fact]
    public async Task Observers_are_reset_while_the_database_is_away_and_miss_nothing()
    {
        var before = _observer.Resets;
        _proxy.Pause();
        await _other.ExecuteAsync(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        );
        await UntilAsync(() => _observer.Resets > before);

        await _other.AppendAsync(Guid.CreateVersion7(), 0, new Noted("in the meantime"));
        before = _observer.Resets;
        await UntilAsync(() => _observer.Resets > before);
        _proxy.Resume();
        await UntilAsync(() => _observer.Heard.Contains("in the meantime"));
    }

    [Fact]
    public async Task A_database_that_hangs_is_as_bad_as_one_that_is_away()
    {
        var before = _observer.Resets;
        await using var holder = await _other.Database.Dedicated.OpenConnectionAsync(Cancelled);
        await using (var hold = new Npgsql.NpgsqlCommand("begin; lock table platform.events", holder))
            await hold.ExecuteNonQueryAsync(Cancelled);

        await UntilAsync(() => _observer.Resets >= before + 2);
        await holder.DisposeAsync();

        await _other.AppendAsync(Guid.CreateVersion7(), 0, new Noted("after"));
        await UntilAsync(() => _observer.Heard.Contains("after"));
    }

    [Fact]
    public async Task The_tail_needs_no_connection_of_the_pool()
    {
        var taken = new List<Npgsql.NpgsqlConnection>();
        for (var i = 0; i < PoolSize; i++)
            taken.Add(await _store.Database.Writes.OpenConnectionAsync(Cancelled));

        await _other.AppendAsync(Guid.CreateVersion7(), 0, new Noted("while the pool is empty"));
        await UntilAsync(() => _observer.Heard.Contains("while the pool is empty"));

        foreach (var connection in taken)
            await connection.DisposeAsync();
    }

    [Fact]
    public async Task Connections_that_broke_while_nobody_used_them_are_given_to_nobody()
    {
        var taken = new List<Npgsql.NpgsqlConnection>();
        for (var i = 0; i < PoolSize; i++)
            taken.Add(await _store.Database.Writes.OpenConnectionAsync(Cancelled));
        foreach (var connection in taken)
            await connection.DisposeAsync();
        var before = _observer.Resets;
        await _other.ExecuteAsync(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        );
        await UntilAsync(() => _observer.Resets > before);

        for (var i = 0; i < PoolSize; i++)
        {
            await using var command = _store.Database.Writes.CreateCommand("select 1");
            Assert.Equal(1, await command.ExecuteScalarAsync(Cancelled));
        }
    }

    [Fact]
    public async Task An_event_that_an_observer_chokes_on_does_not_stop_the_tail()
    {
        var before = _observer.Resets;
        await _other.AppendAsync(Guid.CreateVersion7(), 0, new Noted("choke"));
        await UntilAsync(() => _observer.Resets > before);

        await _other.AppendAsync(Guid.CreateVersion7(), 0, new Noted("next"));
        await UntilAsync(() => _observer.Heard.Contains("next"));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "It does not come to pass.");
            await Task.Delay(5, Cancelled);
        }
    }

    private sealed class Observer : ILogObserver
    {
        private readonly Lock _gate = new();
        private readonly List<string> _heard = [];
        private int _resets;

        public IReadOnlyCollection<Type> EventTypes { get; } = [typeof(Noted)];

        public IReadOnlyList<string> Heard
        {
            get
            {
                lock (_gate)
                    return [.. _heard];
            }
        }

        public int Resets => Volatile.Read(ref _resets);

        public void Observe(RecordedEvent recorded, IEvent @event)
        {
            var text = ((Noted)@event).Text;
            if (text == "choke")
                throw new InvalidOperationException("It chokes.");
            lock (_gate)
                _heard.Add(text);
        }

        public void Reset() => Interlocked.Increment(ref _resets);
    }
}
