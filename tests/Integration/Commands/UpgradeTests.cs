using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Commands;

/// <summary>A database as a build before left it: rows of another shape, a document that had no rows, streams under a name they had then.</summary>
public sealed class UpgradeTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_of_another_shape_are_folded_anew_before_the_first_request()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        string key;
        await using (var before = await VerbatimHost.StartAsync(database))
            key = await before.CreateApiKeyAsync(cancellationToken: Cancellation);
        await ExecuteAsync(
            database,
            """
            update documents.api_key set data = (select json_object_agg(k, v) from json_each(data) j(k, v) where k not in ('allowedAddresses', 'rotation'));
            delete from documents.login;
            update platform.document_shapes set shape = 'another' where stream_type in ('api-key', 'login')
            """
        );

        await using var after = await VerbatimHost.StartAsync(database);

        using var program = after.As(key);
        await program.GetJsonAsync("/v1/models");
        Assert.NotEmpty((await program.GetJsonAsync("/api/api-keys"))["data"]!.AsArray());
        Assert.NotEmpty((await program.GetJsonAsync("/api/logins"))["data"]!.AsArray());
        Assert.Equal((0, true), await RebuildCheckAsync(after, "login: 1 folded, 0 differ"));
    }

    [Fact]
    public async Task A_start_of_the_same_build_leaves_rows_as_they_are()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using (await VerbatimHost.StartAsync(database)) { }
        await ExecuteAsync(database, "update documents.user set data = (data::text || ' ')::json");

        await using var again = await VerbatimHost.StartAsync(database);

        Assert.Equal((1, true), await RebuildCheckAsync(again, "user: 1 folded, 1 differ"));
    }

    [Fact]
    public async Task A_refused_attempt_that_was_recorded_as_a_login_is_no_login()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var host = await VerbatimHost.StartAsync(database);
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var tenant = (await administrator.GetJsonAsync("/api/me"))["organizationId"]!.GetValue<Guid>();
        var attempt = Guid.CreateVersion7();
        await host
            .Services.GetRequiredService<EventStore>()
            .AppendAsync(
                new AppendContext(tenant, "system:login", "as of old"),
                new StreamEvents(
                    "login-attempt",
                    attempt,
                    0,
                    [new LoginFailed(UserId: null, "192.0.2.7", UserAgent: null)]
                ),
                Cancellation
            );

        await ExecuteAsync(
            database,
            "update platform.events set stream_type = 'login' where stream_type = 'login-attempt'"
        );

        var read = await administrator.GetJsonAsync($"/api/audit/streams/{attempt}/state");

        Assert.Equal("192.0.2.7", read["state"]!["address"]!.GetValue<string>());
        Assert.Null(read["state"]!["endsAt"]);
        await administrator.GetJsonAsync($"/api/logins/{attempt}", HttpStatusCode.NotFound);
        Assert.Equal((0, true), await RebuildCheckAsync(host, "login: 1 folded, 0 differ"));
    }

    private static async Task<(int ExitCode, bool Says)> RebuildCheckAsync(VerbatimHost host, string line)
    {
        var command = host.CommandNamed("rebuild");
        await using var output = new StringWriter();
        var exitCode = await command.RunAsync(["--check"], output, Cancellation);
        return (exitCode, output.ToString().Contains(line, StringComparison.Ordinal));
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
