using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

public sealed class DocumentTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private readonly TestStore _store = new(database.ConnectionString);
    private readonly Guid _id = Guid.CreateVersion7();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static Guid Tenant => TestStore.Context.TenantId;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task What_was_decided_is_there_for_the_next_read()
    {
        await _store.CountAsync(_id, 2);
        await _store.CountAsync(_id, 3);

        var loaded = await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), _id, Cancelled);
        Assert.Equal(new Versioned<Tally>(new Tally(5, null), 2), loaded);
        Assert.Equal(
            """{"count":5}""",
            await _store.QueryAsync<string>($"select data::text from documents.test_tally where id = '{_id}'")
        );
        Assert.Equal(
            (await _store.ReadAsync(_id))[^1].Position,
            await _store.QueryAsync<long>($"select position from documents.test_tally where id = '{_id}'")
        );
    }

    [Fact]
    public async Task Several_events_of_one_decision_are_folded_in_order()
    {
        var outcome = await _store.Documents.DecideAsync<Tally>(
            TestStore.Context,
            _id,
            _ => Decision.Append(new Counted(1, "a"), new Counted(2, "b"), new Counted(3)),
            Cancelled
        );

        var document = outcome.Match(d => d, _ => null!);
        Assert.Equal(new Versioned<Tally>(new Tally(6, "b"), 3), document);
        Assert.Equal(document, await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), _id, Cancelled));
    }

    [Fact]
    public async Task A_refusal_stores_nothing()
    {
        var outcome = await _store.Documents.DecideAsync<Tally>(
            TestStore.Context,
            _id,
            _ => Decision.Refuse(RefusalKind.Invalid, "test.no", "No."),
            Cancelled
        );

        Assert.False(outcome.IsSuccess);
        Assert.Equal("test.no", outcome.Match(_ => "", r => r.Code));
        Assert.Empty(await _store.ReadAsync(_id));
    }

    [Fact]
    public async Task Deciding_nothing_returns_the_document_as_it_is()
    {
        await _store.CountAsync(_id);
        var outcome = await _store.Documents.DecideAsync<Tally>(
            TestStore.Context,
            _id,
            _ => Decision.Nothing,
            Cancelled
        );

        Assert.Equal(1, outcome.Match(d => d.Version, _ => 0));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _store.Documents.DecideAsync<Tally>(
                TestStore.Context,
                Guid.CreateVersion7(),
                _ => Decision.Nothing,
                Cancelled
            )
        );
    }

    [Fact]
    public async Task A_decision_is_made_again_on_the_newer_state()
    {
        await _store.CountAsync(_id, 10);
        var seen = new List<int>();

        var outcome = await _store.Documents.DecideAsync<Tally>(
            TestStore.Context,
            _id,
            tally =>
            {
                seen.Add(tally!.Count);
                // Somebody is faster, the first two times.
                if (seen.Count <= 2)
                    _store.CountAsync(_id).GetAwaiter().GetResult();
                return Decision.Append(new Counted(100));
            },
            Cancelled
        );

        Assert.Equal([10, 11, 12], seen);
        Assert.Equal(new Versioned<Tally>(new Tally(112, null), 4), outcome.Match(d => d, _ => null!));
    }

    [Fact]
    public async Task A_decision_that_always_comes_too_late_is_given_up()
    {
        await _store.CountAsync(_id);
        var attempts = 0;

        var e = await Assert.ThrowsAsync<ConcurrencyException>(() =>
            _store.Documents.DecideAsync<Tally>(
                TestStore.Context,
                _id,
                tally =>
                {
                    attempts++;
                    _store.CountAsync(_id).GetAwaiter().GetResult();
                    return Decision.Append(new Counted(100));
                },
                Cancelled
            )
        );

        Assert.Equal(5, attempts);
        Assert.Equal(_id, e.Conflict.StreamId);
        Assert.Equal(6, (await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), _id, Cancelled))!.Value.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Two_hundred_increments_at_once_are_each_counted_or_reported(int instances)
    {
        var stores = Enumerable.Range(0, instances).Select(_ => new TestStore(database.ConnectionString)).ToArray();

        var counted = await Task.WhenAll(
            Enumerable
                .Range(0, 200)
                .Select(async i =>
                {
                    try
                    {
                        await stores[i % instances].CountAsync(_id);
                        return 1;
                    }
                    catch (ConcurrencyException)
                    {
                        return 0;
                    }
                })
        );

        var tally = (await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), _id, Cancelled))!;
        Assert.Equal((counted.Sum(), (long)counted.Sum()), (tally.Value.Count, tally.Version));
        Assert.InRange(counted.Sum(), 1, 200);
        foreach (var store in stores)
            await store.DisposeAsync();
    }

    [Fact]
    public async Task A_document_is_loaded_as_it_was_at_a_version()
    {
        for (var i = 1; i <= 4; i++)
            await _store.CountAsync(_id, i);

        async Task<int?> CountAtAsync(long version) =>
            (await _store.Documents.LoadAtVersionAsync<Tally>(Access.ToAll(Tenant), _id, version, Cancelled))
                ?.Value
                .Count;

        Assert.Null(await CountAtAsync(0));
        Assert.Equal(1, await CountAtAsync(1));
        Assert.Equal(6, await CountAtAsync(3));
        Assert.Equal(10, await CountAtAsync(99));
    }

    [Fact]
    public async Task A_document_is_loaded_as_it_was_at_an_instant()
    {
        await _store.CountAsync(_id, 1);
        await _store.CountAsync(_id, 2);
        var events = await _store.ReadAsync(_id);

        async Task<Versioned<Tally>?> AtAsync(DateTimeOffset at) =>
            await _store.Documents.LoadAtAsync<Tally>(Access.ToAll(Tenant), _id, at, Cancelled);

        Assert.Null(await AtAsync(events[0].Time - TimeSpan.FromMicroseconds(1)));
        Assert.Equal(1, (await AtAsync(events[0].Time))!.Version);
        Assert.Equal(1, (await AtAsync(events[1].Time - TimeSpan.FromMicroseconds(1)))!.Version);
        Assert.Equal(2, (await AtAsync(events[1].Time))!.Version);
    }

    [Fact]
    public async Task A_folded_document_has_no_table_and_behaves_the_same()
    {
        for (var i = 0; i < 3; i++)
            await _store.Documents.DecideAsync<Visit>(
                TestStore.Context,
                _id,
                _ => Decision.Append(new Stepped()),
                Cancelled
            );

        Assert.Equal(
            new Versioned<Visit>(new Visit(3), 3),
            await _store.Documents.LoadAsync<Visit>(Access.ToAll(Tenant), _id, Cancelled)
        );
        Assert.Equal(
            2,
            (await _store.Documents.LoadAtVersionAsync<Visit>(Access.ToAll(Tenant), _id, 2, Cancelled))!.Value.Steps
        );
        Assert.True(await _store.QueryAsync<bool>("select to_regclass('documents.test_visit') is null"));
    }

    [Fact]
    public async Task Another_type_or_another_tenant_reads_as_nothing()
    {
        await _store.CountAsync(_id);

        Assert.Null(await _store.Documents.LoadAsync<Visit>(Access.ToAll(Tenant), _id, Cancelled));
        Assert.Null(await _store.Documents.LoadAsync<Account>(Access.ToAll(Tenant), _id, Cancelled));
        Assert.Null(await _store.Documents.LoadAtVersionAsync<Account>(Access.ToAll(Tenant), _id, 1, Cancelled));
        Assert.Null(await _store.Documents.LoadAsync<Tally>(Access.ToAll(Guid.CreateVersion7()), _id, Cancelled));
        Assert.Null(
            await _store.Documents.LoadAtVersionAsync<Tally>(Access.ToAll(Guid.CreateVersion7()), _id, 1, Cancelled)
        );
        // And nobody makes a document of a stream that is another one's.
        await Assert.ThrowsAsync<ConcurrencyException>(() =>
            _store.Documents.DecideAsync<Visit>(TestStore.Context, _id, _ => Decision.Append(new Stepped()), Cancelled)
        );
    }

    [Fact]
    public async Task An_event_that_the_document_does_not_know_is_never_stored()
    {
        await Assert.ThrowsAsync<UnexpectedEventException>(() =>
            _store.Documents.DecideAsync<Tally>(TestStore.Context, _id, _ => Decision.Append(new Stepped()), Cancelled)
        );
        Assert.Empty(await _store.ReadAsync(_id));
    }

    [Fact]
    public async Task The_row_holds_what_the_stored_events_say_not_what_memory_held()
    {
        // Half a surrogate pair does not survive JSON: were the row made of the events in memory, it would differ from a rebuilt one.
        await _store.Documents.DecideAsync<Tally>(
            TestStore.Context,
            _id,
            _ => Decision.Append(new Counted(1, "\ud83d\0")),
            Cancelled
        );

        var loaded = await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), _id, Cancelled);
        Assert.Equal("\ufffd\0", loaded!.Value.LastText);
        Assert.Equal(loaded, await _store.Documents.LoadAtVersionAsync<Tally>(Access.ToAll(Tenant), _id, 1, Cancelled));
    }

    [Fact]
    public async Task Documents_are_created_together_or_not_at_all()
    {
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await _store.CountAsync(two);

        async Task<AppendResult> CreateAsync(Guid second) =>
            await _store.Documents.CreateAsync(
                TestStore.Context,
                [
                    _store.Documents.New<Tally>(one, new Counted(1)),
                    _store.Documents.New<Account>(second, new AccountOpened($"{second}")),
                ],
                [],
                Cancelled
            );

        Assert.NotNull((await CreateAsync(two)).Conflict);
        Assert.Null(await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), one, Cancelled));
        Assert.Null((await CreateAsync(Guid.CreateVersion7())).Conflict);
        Assert.NotNull(await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), one, Cancelled));
    }

    [Fact]
    public async Task A_decision_on_a_state_that_was_repaired_in_the_meantime_is_made_again()
    {
        await _store.CountAsync(_id, 5);
        await _store.ExecuteAsync($$"""update documents.test_tally set data = '{"count":999}' where id = '{{_id}}'""");
        var seen = new List<int>();

        var outcome = await _store.Documents.DecideAsync<Tally>(
            TestStore.Context,
            _id,
            tally =>
            {
                seen.Add(tally!.Count);
                if (seen.Count == 1)
                    _store
                        .ExecuteAsync(
                            $$"""
                            update platform.sequencer set documents_generation = documents_generation + 1;
                            update documents.test_tally set data = '{"count":5}' where id = '{{_id}}'
                            """
                        )
                        .GetAwaiter()
                        .GetResult();
                return Decision.Append(new Counted(1));
            },
            Cancelled
        );

        Assert.Equal([999, 5], seen);
        Assert.Equal(6, outcome.Match(d => d.Value.Count, _ => 0));
    }

    [Fact]
    public async Task Many_documents_are_repaired_in_several_transactions_so_that_appends_come_in_between()
    {
        var ids = Enumerable.Range(0, DocumentRepair.BatchSize + 1).Select(_ => Guid.CreateVersion7()).ToList();
        await Task.WhenAll(ids.Select(id => _store.CountAsync(id, 3)));
        await _store.ExecuteAsync("""update documents.test_tally set data = '{"count":999}'""");
        var before = await ReadGenerationAsync();

        await new DocumentRepair(_store.Database, _store.Opener, _store.Keys, TimeProvider.System).RepairAsync(
            _store.DocumentTypes.Find("test-tally")!,
            [.. ids.Select(id => new StreamKey(Tenant, id))],
            Cancelled
        );

        Assert.Equal(2, await ReadGenerationAsync() - before);
        foreach (var id in ids)
            Assert.Equal(
                new Versioned<Tally>(new Tally(3, null), 1),
                await _store.Documents.LoadAsync<Tally>(Access.ToAll(Tenant), id, Cancelled)
            );
    }

    private Task<long> ReadGenerationAsync() =>
        _store.QueryAsync<long>("select documents_generation from platform.sequencer");
}
