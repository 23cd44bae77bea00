using System.Globalization;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Commands;

/// <summary>
/// Documents that two instances wrote under load are thrown away and rebuilt. <c>VERBATIM_REBUILD_EVENTS</c> sets how many events there are;
/// docs/benchmarks.md has a run with two million.
/// </summary>
public sealed class RebuildScaleTests(SharedPostgres server)
{
    private const int Writers = 64;
    private const int DocumentsEach = 50;

    private static readonly string[] Tables = ["documents.test_tally", "documents.test_diary"];

    private static readonly long Events = long.TryParse(
        Environment.GetEnvironmentVariable("VERBATIM_REBUILD_EVENTS"),
        CultureInfo.InvariantCulture,
        out var events
    )
        ? events
        : 20_000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rebuilt_from_the_log_every_document_has_the_row_that_its_appends_left()
    {
        var connectionString = await MigratedDatabase.CreateAsync(server);
        await using var one = new TestStore(connectionString);
        await using var two = new TestStore(connectionString);
        await Task.WhenAll(
            Enumerable.Range(0, Writers).Select(i => Task.Run(() => WriteAsync(i % 2 == 0 ? one : two, i)))
        );
        Assert.True(await one.Events.ReadHeadAsync(Cancelled) >= Events);
        foreach (var table in Tables)
            await ExecuteAsync(one, $"create table public.{table.Split('.')[1]} as table {table}");

        Assert.Equal(0, await RunAsync(one, "--check"));
        // One row changed in a way that only comparing tells.
        await ExecuteAsync(
            one,
            "update documents.test_tally set position = position - 1 where id = (select id from documents.test_tally limit 1)"
        );
        Assert.Equal(1, await RunAsync(one, "--check"));
        foreach (var table in Tables)
            await ExecuteAsync(one, $"truncate {table}");
        Assert.Equal(0, await RunAsync(two));

        foreach (var table in Tables)
        {
            var live = $"public.{table.Split('.')[1]}";
            Assert.True(await one.QueryAsync<long>($"select count(*) from {live}") > 0);
            Assert.Equal(0, await DifferencesAsync(one, live, table) + await DifferencesAsync(one, table, live));
        }
        Assert.Equal(0, await RunAsync(one, "--check"));
    }

    private static async Task WriteAsync(TestStore store, int writer)
    {
        var ids = Enumerable.Range(0, DocumentsEach).Select(_ => Guid.CreateVersion7()).ToList();
        var (author, context) = (Guid.CreateVersion7(), TestStore.NewContext());
        for (long written = 0, n = 0; written < Events / Writers + 1; n++)
        {
            var id = ids[(int)(n * 7 % DocumentsEach)];
            var count = 1 + (int)(n % 5);
            if (writer % 4 == 0)
                await store.Documents.DecideAsync<Diary>(
                    context,
                    id,
                    _ => Decision.Append([.. Enumerable.Repeat(new Written(author, $"page {n}"), count)]),
                    Cancelled
                );
            else
                await store.Documents.DecideAsync<Tally>(
                    context,
                    id,
                    _ => Decision.Append([.. Enumerable.Repeat(new Counted(count, $"text {n}"), count)]),
                    Cancelled
                );
            written += count;
        }
    }

    private static async Task<int> RunAsync(TestStore store, params string[] arguments) =>
        await new RebuildDocuments(
            store.Database,
            store.DocumentTypes,
            new DocumentRepair(store.Database, store.Opener, store.Keys, TimeProvider.System)
        ).RunAsync(arguments, TextWriter.Null, Cancelled);

    private static Task<long> DifferencesAsync(TestStore store, string table, string other) =>
        store.QueryAsync<long>(
            $"""
            select count(*) from (
                select tenant_id, id, version, position, data::text from {table}
                except select tenant_id, id, version, position, data::text from {other}) d
            """
        );

    private static async Task ExecuteAsync(TestStore store, string sql)
    {
        await using var command = store.Database.Writes.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(Cancelled);
    }
}
