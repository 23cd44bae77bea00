using Npgsql;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Integration.Commands;

public sealed class RebuildDocumentsTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Documents_that_were_changed_lost_or_invented_are_found_and_repaired_byte_by_byte()
    {
        await host.CreateApiKeyAsync(cancellationToken: Cancellation);
        await host.CreateApiKeyAsync(cancellationToken: Cancellation);
        var before = await RowsAsync();
        Assert.Equal(0, (await RebuildAsync("--check")).ExitCode);

        await ExecuteAsync(
            """
            update documents.api_key set data = replace(data::text, '"prefix":"', '"prefix":"forged')::json where id = (select max(id::text)::uuid from documents.api_key);
            delete from documents.user;
            insert into documents.organization values (gen_random_uuid(), gen_random_uuid(), 1, 1, '{}')
            """
        );
        var check = await RebuildAsync("--check");
        Assert.Equal(1, check.ExitCode);
        Assert.Contains("api-key: 3 folded, 1 differ", check.Output, StringComparison.Ordinal);
        Assert.Contains("user: 1 folded, 1 differ", check.Output, StringComparison.Ordinal);
        Assert.Contains("organization: 1 folded, 1 differ", check.Output, StringComparison.Ordinal);

        Assert.Equal(0, (await RebuildAsync()).ExitCode);
        Assert.Equal(0, (await RebuildAsync("--check")).ExitCode);
        Assert.Equal(before, await RowsAsync());
        // The system goes on deciding about what was repaired.
        await host.CreateApiKeyAsync(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task A_word_that_it_does_not_know_is_refused() =>
        await Assert.ThrowsAsync<CommandUsageException>(() => RebuildAsync("--chekc"));

    private async Task<(int ExitCode, string Output)> RebuildAsync(params string[] arguments)
    {
        var command = host.CommandNamed("rebuild");
        await using var output = new StringWriter();
        return (await command.RunAsync(arguments, output, Cancellation), output.ToString());
    }

    private async Task<List<string>> RowsAsync()
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(
            """
            select r from (
                select tenant_id || '|' || id || '|' || version || '|' || position || '|' || data::text as r from documents.api_key
                union all select tenant_id || '|' || id || '|' || version || '|' || position || '|' || data::text from documents.user
                union all select tenant_id || '|' || id || '|' || version || '|' || position || '|' || data::text from documents.organization) s
            order by r
            """
        );
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation))
            rows.Add(reader.GetString(0));
        return rows;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
