using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

public sealed class ProjectionTests(SharedPostgres server) : IAsyncLifetime
{
    private readonly Guid _stream = Guid.CreateVersion7();
    private TestStore _store = null!;
    private long _version;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = new TestStore(await MigratedDatabase.CreateAsync(server));

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_projection_is_read_by_its_name_from_the_first_event_on()
    {
        await AppendAsync(50);
        await using var running = await StartAsync(typeof(NotesByLength));
        await ShowsAsync(1, 50);
        await AppendAsync(10);
        await ShowsAsync(1, 60);
    }

    [Fact]
    public async Task A_first_build_is_shown_while_the_log_never_stands_still()
    {
        await AppendAsync(50);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var appending = Task.Run(AppendAllTheTimeAsync, Cancelled);
        await using var running = await StartAsync(typeof(NotesByLength));

        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<bool>("select exists(select from platform.projections where live_build = 1)")
        );
        Assert.False(appending.IsCompleted);
        await done.CancelAsync();
        await appending;

        async Task AppendAllTheTimeAsync()
        {
            while (!done.IsCancellationRequested)
                await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted(""));
        }
    }

    [Fact]
    public async Task A_new_version_is_built_beside_the_live_one_and_then_shown_whole()
    {
        await AppendAsync(3000);
        await using (await StartAsync(typeof(NotesByLength)))
            await ShowsAsync(1, 3000);

        // From now on a reader looks all the time, and there is always something to handle.
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var reading = ReadAllTheTimeAsync(atLeast: 3000, done.Token);
        await using var old = await StartAsync(typeof(NotesByLength));
        await using var running = await StartAsync(typeof(NotesByLengthAndWord));
        var goal = 3000;
        while (await _store.QueryAsync<int>("select live_build from platform.projections") == 1)
        {
            await AppendAsync(5);
            goal += 5;
        }
        await ShowsAsync(2, goal);
        await done.CancelAsync();
        Assert.True(await reading > 10);

        // What was before it is gone, and the older instance leaves the new one alone.
        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<bool>("select to_regclass('test.notes_by_length_1') is null")
        );
        Assert.Equal(
            "test.notes-by-length.2",
            await _store.QueryAsync<string>("select string_agg(name, ' ') from platform.subscriptions")
        );
        Assert.Equal(goal, await _store.QueryAsync<long>("select count(word) from test.notes_by_length"));
    }

    [Fact]
    public async Task A_rebuild_that_somebody_asks_for_makes_the_table_anew()
    {
        await AppendAsync(100);
        await using var running = await StartAsync(typeof(NotesByLength));
        await ShowsAsync(1, 100);
        await _store.ExecuteAsync("update test.notes_by_length_1 set length = -1");

        var projections = new Projections(
            _store.Database,
            new SubscriptionCatalog([typeof(NotesByLength)], _store.Catalog)
        );
        Assert.Equal("test.notes-by-length", projections.Find("test.notes-by-length.1"));
        Assert.False(await projections.IsBuildingAsync("test.notes-by-length", Cancelled));
        var write = Projections.Rebuild("test.notes-by-length");
        await using (var command = _store.Database.Writes.CreateCommand(write.Text))
        {
            command.Parameters.AddWithValue(write.Parameters[0]);
            await command.ExecuteNonQueryAsync(Cancelled);
        }
        await ShowsAsync(2, 100);

        Assert.Equal(0, await _store.QueryAsync<long>("select count(*) from test.notes_by_length where length < 0"));
        Assert.False(await projections.IsBuildingAsync("test.notes-by-length", Cancelled));
    }

    [Fact]
    public async Task A_projection_of_personal_data_is_made_anew_without_a_person_who_was_erased()
    {
        var (id, person) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var context = TestStore.Context with { Subject = person };
        await _store.AppendAsync(context, id, 0, new Whispered("psst", null), new Whispered("hush", null));
        await using var running = await StartAsync(typeof(Whispers));
        await Eventually.UntilAsync(async () => await WhispersAsync() == "psst,hush");

        await _store.ExecuteAsync(
            $"select platform.destroy_subject_key('{context.TenantId}', '{person}', clock_timestamp())"
        );
        _store.Keys.Forget(context.TenantId, person);
        var step = new EraseFromProjections(
            _store.Database,
            new SubscriptionCatalog([typeof(Whispers), typeof(NotesByLength)], _store.Catalog),
            _store.Catalog
        );

        Assert.Equal(1, await step.EraseAsync(context, person, Cancelled));
        await Eventually.UntilAsync(async () => await WhispersAsync() == "[erased],[erased]");
        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<bool>("select to_regclass('test.whispers_1') is null")
        );

        async Task<string> WhispersAsync() =>
            await _store.QueryAsync<bool>("select to_regclass('test.whispers') is not null")
                ? await _store.QueryAsync<string>(
                    "select coalesce(string_agg(text, ',' order by position), '') from test.whispers"
                )
                : "";
    }

    [Fact]
    public void Mistakes_in_a_projection_are_told_clearly()
    {
        void AssertSays(string words, Type type) =>
            Assert.Contains(
                words,
                Assert
                    .Throws<InvalidOperationException>(() => _ = new SubscriptionCatalog([type], _store.Catalog))
                    .Message,
                StringComparison.Ordinal
            );

        AssertSays("without a static string CreateTableSql", typeof(NoTable));
        AssertSays("valid is module.what-it-shows", typeof(NoName));
    }

    private async Task AppendAsync(int count)
    {
        await _store.AppendAsync(
            _stream,
            _version,
            [.. Enumerable.Range(0, count).Select(i => new Noted(new string('x', i % 7)))]
        );
        _version += count;
    }

    private Task ShowsAsync(int build, long rows) =>
        Eventually.UntilAsync(
            async () =>
                await _store.QueryAsync<bool>("select to_regclass('test.notes_by_length') is not null")
                && await _store.QueryAsync<int>("select live_build from platform.projections") == build
                && await _store.QueryAsync<long>("select count(*) from test.notes_by_length") == rows,
            $"Build {build} does not show {rows} rows."
        );

    private async Task<int> ReadAllTheTimeAsync(long atLeast, CancellationToken cancellationToken)
    {
        var reads = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var rows = await _store.QueryAsync<long>("select count(*) from test.notes_by_length");
            Assert.True(rows >= atLeast, $"A reader saw {rows} rows after {atLeast}.");
            (atLeast, reads) = (rows, reads + 1);
        }
        return reads;
    }

    private async Task<IAsyncDisposable> StartAsync(Type type)
    {
        var running = new RunningSubscriptions(_store, [type]);
        var builder = new ProjectionBuilder(
            new SubscriptionCatalog([type], _store.Catalog),
            _store.Database,
            TimeProvider.System,
            NullLogger<ProjectionBuilder>.Instance
        );
        await builder.StartAsync(CancellationToken.None);
        await running.StartAsync();
        return new Both(running, builder);
    }

    private sealed class Both(RunningSubscriptions running, ProjectionBuilder builder) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await builder.StopAsync(CancellationToken.None);
            builder.Dispose();
            await running.DisposeAsync();
        }
    }

    private static async Task InsertAsync(Message message, string columns, params object[] values)
    {
        await using var command = new NpgsqlCommand(
            $"insert into {message.Table} ({columns}) values ({string.Join(", ", values.Select((_, i) => $"${i + 1}"))})",
            message.Transaction.Connection
        );
        foreach (var value in values)
            command.Parameters.AddWithValue(value);
        await command.ExecuteNonQueryAsync(Cancelled);
    }

    [Projection("test.notes-by-length", BatchSize = 500)]
    private static class NotesByLength
    {
        public static string CreateTableSql(string table) =>
            $"create table {table} (position bigint primary key, length int not null); create index on {table} (length)";

        public static Task HandleAsync(Noted noted, Message message) =>
            InsertAsync(message, "position, length", message.Recorded.Position, noted.Text.Length);
    }

    [Projection("test.notes-by-length", Version = 2, Lanes = 2)]
    private static class NotesByLengthAndWord
    {
        public static string CreateTableSql(string table) =>
            $"create table {table} (position bigint primary key, length int not null, word text not null); create index on {table} (length)";

        public static Task HandleAsync(Noted noted, Message message) =>
            InsertAsync(message, "position, length, word", message.Recorded.Position, noted.Text.Length, noted.Text);
    }

    [Projection("test.whispers")]
    private static class Whispers
    {
        public static string CreateTableSql(string table) =>
            $"create table {table} (position bigint primary key, text text not null)";

        public static Task HandleAsync(Whispered whispered, Message message) =>
            InsertAsync(message, "position, text", message.Recorded.Position, whispered.Text);
    }

    [Projection("test.no-table")]
    private static class NoTable
    {
        public static Task HandleAsync(Noted noted) => Task.CompletedTask;
    }

    [Projection("test.no table")]
    private static class NoName
    {
        public static string CreateTableSql(string table) => table;

        public static Task HandleAsync(Noted noted) => Task.CompletedTask;
    }
}
