using System.Diagnostics;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>
/// Appends that meet in one transaction. While another session holds the log's lock, the first append waits for it inside the writer, and
/// all that come after it form one batch.
/// </summary>
public sealed class GroupCommitTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private readonly TestStore _store = new(database.ConnectionString);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        await _store.ExecuteAsync(
            """
            create table if not exists public.marks (id uuid primary key, note text);
            create unique index if not exists account_email on documents.test_account ((data ->> 'email'));
            """
        );

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData(5)] // by arrays
    [InlineData(300)] // by COPY
    public async Task Appends_that_wait_form_one_transaction(int count)
    {
        var results = await TogetherAsync(() =>
            Enumerable.Range(0, count).Select(_ => _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("")))
        );

        Assert.All(results, r => Assert.Null(r.Conflict));
        Assert.Equal(
            Enumerable.Range(0, count).Select(i => results[0].LastPosition + i),
            results.Select(r => r.LastPosition)
        );
        Assert.Equal(
            1,
            await _store.QueryAsync<long>(
                $"select count(distinct xmin::text) from platform.events where position >= {results[0].LastPosition}"
            )
        );
    }

    [Theory]
    [InlineData(5)]
    [InlineData(60)]
    public async Task A_stale_version_fails_that_append_alone(int count)
    {
        var stale = Guid.CreateVersion7();
        await _store.AppendAsync(stale, 0, new Noted(""), new Noted(""));

        var results = await TogetherAsync(() =>
            Enumerable
                .Range(0, count)
                .Select(i =>
                    i == count / 2
                        ? _store.AppendAsync(stale, 1, new Noted("never"))
                        : _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted(""))
                )
        );

        Assert.Equal(new VersionConflict(stale, 1, 2), Assert.Single(results, r => r.Conflict is not null).Conflict);
        Assert.Equal(2, (await _store.ReadAsync(stale)).Count);
    }

    [Fact]
    public async Task Of_appends_to_one_version_the_first_wins()
    {
        var id = Guid.CreateVersion7();

        var results = await TogetherAsync(() =>
            Enumerable.Range(0, 10).Select(i => _store.AppendAsync(id, 0, new Noted($"{i}")))
        );

        Assert.Null(results[0].Conflict);
        Assert.All(results[1..], r => Assert.Equal(new VersionConflict(id, 0, 1), r.Conflict));
        Assert.Equal("0", ((Noted)_store.Catalog.Read(Assert.Single(await _store.ReadAsync(id)))).Text);
    }

    [Fact]
    public async Task Appends_in_a_row_to_one_stream_share_a_transaction()
    {
        var id = Guid.CreateVersion7();

        var results = await TogetherAsync(() =>
            Enumerable.Range(0, 40).Select(i => _store.AppendAsync(id, i, new Noted($"{i}")))
        );

        Assert.All(results, r => Assert.Null(r.Conflict));
        LogChecks.AssertSound(await _store.ReadAsync(id));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    public async Task A_statement_that_fails_takes_nobody_along(int count)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).ToArray();

        var results = await TogetherAsync(() =>
            ids.Select((id, i) => AppendAsync(id, i % 3 == 1 ? "select 1 / $1" : "select $1", 0))
        );

        for (var i = 0; i < count; i++)
        {
            Assert.Equal(i % 3 == 1, results[i] is PostgresException { SqlState: PostgresErrorCodes.DivisionByZero });
            Assert.Equal(i % 3 == 1 ? 0 : 1, (await _store.ReadAsync(ids[i])).Count);
        }
    }

    [Fact]
    public async Task A_value_that_Npgsql_cannot_write_takes_nobody_along()
    {
        var ids = Enumerable.Range(0, 30).Select(_ => Guid.CreateVersion7()).ToArray();

        var results = await TogetherAsync(() =>
            ids.Select((id, i) => AppendAsync(id, "select $1", i == 7 ? new Uri("test:nothing") : 1))
        );

        Assert.IsType<InvalidCastException>(results[7]);
        Assert.All(results.Where((_, i) => i != 7), Assert.Null);
        Assert.Empty(await _store.ReadAsync(ids[7]));
        Assert.Single(await _store.ReadAsync(ids[8]));
    }

    [Fact]
    public async Task A_unique_index_on_documents_fails_the_later_append_alone()
    {
        var email = $"{Guid.CreateVersion7()}@example.org";
        var ids = Enumerable.Range(0, 8).Select(_ => Guid.CreateVersion7()).ToArray();

        var results = await TogetherAsync(() =>
            ids.Select(
                async (id, i) =>
                    await Record.ExceptionAsync(() =>
                        _store.Documents.CreateAsync(
                            TestStore.Context,
                            [_store.Documents.New<Account>(id, new AccountOpened(i is 2 or 5 ? email : $"{id}"))],
                            [],
                            Cancelled
                        )
                    )
            )
        );

        // Creation asks the database first, so which of the two came first is not known.
        var failed = Assert.Single(results, r => r is not null);
        Assert.Equal(PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>(failed).SqlState);
        Assert.True(Array.IndexOf(results, failed) is 2 or 5);
        Assert.Equal(
            1,
            await _store.QueryAsync<long>(
                $"select count(*) from documents.test_account where data ->> 'email' = '{email}'"
            )
        );
        foreach (var (id, result) in ids.Zip(results))
            Assert.Equal(result is null ? 1 : 0, (await _store.ReadAsync(id)).Count);
    }

    [Fact]
    public async Task There_is_no_conflict_with_an_append_that_failed()
    {
        var id = Guid.CreateVersion7();

        var results = await TogetherAsync(() =>
            new[]
            {
                AppendAsync(Guid.CreateVersion7(), "select $1", 1),
                AppendAsync(id, "select 1 / $1", 0),
                AppendAsync(id, "select $1", 1),
            }
        );

        // The first one would have failed before or after: it is told either that, or that it came too late.
        Assert.NotNull(results[1]);
        Assert.Null(results[2]);
        Assert.Single(await _store.ReadAsync(id));
    }

    [Fact]
    public async Task An_append_whose_statement_waits_for_a_held_row_fails_alone()
    {
        var row = Guid.CreateVersion7();
        await _store.ExecuteAsync($"insert into public.marks values ('{row}')");
        await using var holder = await _store.Database.Dedicated.OpenConnectionAsync(Cancelled);
        await using (
            var hold = new NpgsqlCommand($"begin; update public.marks set note = 'held' where id = '{row}'", holder)
        )
            await hold.ExecuteNonQueryAsync(Cancelled);

        var results = await TogetherAsync(() =>
            Enumerable
                .Range(0, 30)
                .Select(i =>
                    AppendAsync(
                        Guid.CreateVersion7(),
                        "update public.marks set note = 'mine' where id = $1",
                        i == 3 ? row : Guid.Empty
                    )
                )
        );

        Assert.Equal(
            PostgresErrorCodes.LockNotAvailable,
            Assert.IsType<PostgresException>(Assert.Single(results, r => r is not null)).SqlState
        );
    }

    [Fact]
    public async Task Two_instances_that_create_one_stream_get_one_conflict()
    {
        await using var other = new TestStore(database.ConnectionString);
        for (var i = 0; i < 50; i++)
        {
            var id = Guid.CreateVersion7();
            var results = await Task.WhenAll(
                _store.AppendAsync(id, 0, new Noted("a")),
                other.AppendAsync(id, 0, new Noted("b"))
            );
            Assert.Equal(new VersionConflict(id, 0, 1), Assert.Single(results, r => r.Conflict is not null).Conflict);
            Assert.Single(await _store.ReadAsync(id));
        }
    }

    [Fact]
    public async Task An_instance_that_has_just_started_knows_a_stream_that_exists()
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(id, 0, new Noted("old"));
        await using var fresh = new TestStore(database.ConnectionString);

        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 9)
                .Select(i => fresh.AppendAsync(i == 4 ? id : Guid.CreateVersion7(), 0, new Noted("new")))
        );

        Assert.Equal(new VersionConflict(id, 0, 1), Assert.Single(results, r => r.Conflict is not null).Conflict);
        Assert.Null((await fresh.AppendAsync(id, 1, new Noted("next"))).Conflict);
    }

    [Fact]
    public async Task An_instance_sees_what_another_one_wrote_to_a_stream_that_it_knows()
    {
        await using var other = new TestStore(database.ConnectionString);
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(id, 0, new Noted("1"));
        await other.AppendAsync(id, 1, new Noted("2"));
        // Far more than is caught up with event by event.
        await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(_ => other.AppendAsync(Guid.CreateVersion7(), 0, [.. Enumerable.Repeat(new Noted(""), 100)]))
        );
        await other.AppendAsync(id, 2, new Noted("3"));

        Assert.Equal(new VersionConflict(id, 1, 3), (await _store.AppendAsync(id, 1, new Noted("x"))).Conflict);
        Assert.Null((await _store.AppendAsync(id, 3, new Noted("4"))).Conflict);
        Assert.Null((await other.AppendAsync(id, 4, new Noted("5"))).Conflict);
    }

    [Fact]
    public async Task Disposal_writes_what_waits_and_refuses_what_comes_after()
    {
        var writing = new TestStore(database.ConnectionString);
        var ids = Enumerable.Range(0, 200).Select(_ => Guid.CreateVersion7()).ToArray();

        var waiting = Task.CompletedTask;
        var stopping = Task.CompletedTask;
        await using (await _store.LockLogAsync())
        {
            waiting = Task.WhenAll(ids.Select(id => writing.AppendAsync(id, 0, new Noted(""))));
            stopping = writing.StopWritingAsync().AsTask();
            await Assert.ThrowsAsync<ObjectDisposedException>(() =>
                writing.AppendAsync(Guid.CreateVersion7(), 0, new Noted(""))
            );
            Assert.False(stopping.IsCompleted);
        }

        await stopping;
        await waiting;
        foreach (var id in ids)
            Assert.Single(await _store.ReadAsync(id));
        await writing.DisposeAsync();
    }

    [Fact]
    public async Task An_append_fails_when_the_lock_is_held_for_too_long_and_the_next_succeeds()
    {
        await using var impatient = new TestStore(database.ConnectionString, patience: TimeSpan.FromSeconds(1));
        var id = Guid.CreateVersion7();
        await using (await _store.LockLogAsync())
        {
            var e = await Assert.ThrowsAsync<LogUnavailableException>(() =>
                impatient.AppendAsync(id, 0, new Noted(""))
            );
            Assert.False(e.IsOutcomeUnknown);
        }

        Assert.Null((await impatient.AppendAsync(id, 0, new Noted(""))).Conflict);
    }

    [Fact]
    public async Task Too_many_waiting_appends_are_refused_at_once()
    {
        var waiting = new List<Task<AppendResult>>();
        await using (await _store.LockLogAsync())
        {
            await Assert.ThrowsAsync<LogUnavailableException>(async () =>
            {
                var id = Guid.CreateVersion7();
                for (var i = 0; i < 60_000; i++)
                {
                    var append = _store.AppendAsync(id, i, new Stepped());
                    if (append.IsFaulted)
                        await append;
                    waiting.Add(append);
                }
            });
        }

        await Task.WhenAll(waiting);
        Assert.InRange(waiting.Count, 50_000, 59_999);
        Assert.All(waiting, a => Assert.Null(a.Result.Conflict));
    }

    [Fact]
    public async Task The_writer_does_not_trust_the_defaults_of_the_database()
    {
        var strange = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Options = "-c synchronous_commit=off -c default_transaction_isolation=serializable",
        };
        await using var store = new TestStore(strange.ConnectionString);
        var id = Guid.CreateVersion7();

        await store.Events.AppendAsync(
            TestStore.Context,
            [new StreamEvents("test-plain", id, 0, [new Noted("")])],
            [
                new SqlWrite(
                    """
                    insert into public.marks
                    select $1, current_setting('synchronous_commit') || ', ' || current_setting('transaction_isolation')
                    """,
                    id
                ),
            ],
            Cancelled
        );

        Assert.Equal(
            "on, read committed",
            await _store.QueryAsync<string>($"select note from public.marks where id = '{id}'")
        );
    }

    [Fact]
    public async Task A_transaction_that_is_held_open_leaves_no_dead_rows_in_appends_way()
    {
        await using var holder = await _store.Database.Dedicated.OpenConnectionAsync(Cancelled);
        await using (
            var hold = new NpgsqlCommand(
                "begin isolation level repeatable read; select count(*) from platform.events; insert into public.marks values (gen_random_uuid())",
                holder
            )
        )
            await hold.ExecuteNonQueryAsync(Cancelled);
        var place = await ReadPlaceAsync();

        var id = Guid.CreateVersion7();
        for (var i = 0; i < 1000; i++)
            await _store.AppendAsync(id, i, new Stepped());

        // A row that is only locked stays where it is: one page, whatever vacuum may not do.
        Assert.Equal(8192, await _store.QueryAsync<long>("select pg_relation_size('platform.sequencer')"));
        Assert.Equal(place, await ReadPlaceAsync());

        Task<string> ReadPlaceAsync() => _store.QueryAsync<string>("select ctid::text from platform.sequencer");
    }

    [Fact]
    public async Task A_decision_after_a_repair_is_made_once_also_beside_appends_that_no_repair_concerns()
    {
        var id = Guid.CreateVersion7();
        await _store.CountAsync(id);
        await _store.ExecuteAsync("update platform.sequencer set documents_generation = documents_generation + 1");
        var decisions = 0;

        var outcomes = await TogetherAsync<bool>(() => [DecideAsync(), AppendAsync()]);

        Assert.All(outcomes, Assert.True);
        Assert.Equal(1, decisions);

        async Task<bool> DecideAsync()
        {
            var outcome = await _store.Documents.DecideAsync<Tally>(
                TestStore.Context,
                id,
                _ =>
                {
                    decisions++;
                    return Decision.Append(new Counted(1));
                },
                Cancelled
            );
            return outcome.Match(d => d.Value.Count == 2, _ => false);
        }

        async Task<bool> AppendAsync() =>
            (await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("beside"))).Conflict is null;
    }

    private async Task<Exception?> AppendAsync(Guid id, string sql, object value) =>
        await Record.ExceptionAsync(async () =>
        {
            var result = await _store.Events.AppendAsync(
                TestStore.Context,
                [new StreamEvents("test-plain", id, 0, [new Noted("")])],
                [new SqlWrite(sql, value)],
                Cancelled
            );
            if (result.Conflict is not null)
                throw new ConcurrencyException(result.Conflict);
        });

    private async Task<T[]> TogetherAsync<T>(Func<IEnumerable<Task<T>>> appends)
    {
        Task first;
        Task<T[]> together;
        await using (await _store.LockLogAsync())
        {
            first = _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("waits for the lock"));
            await WaitersAsync(1);
            var started = appends().ToArray();
            together = Task.WhenAll(started);
            await UntilAsync(() => Task.FromResult(_store.WaitingCount == started.Length));
        }
        await first;
        return await together;
    }

    private Task WaitersAsync(int count) =>
        UntilAsync(async () =>
            await _store.QueryAsync<long>(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            ) >= count
        );

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "It does not come to pass.");
            await Task.Delay(5, Cancelled);
        }
    }
}
