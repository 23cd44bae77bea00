using System.Net;
using Npgsql;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Integration.Support;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Integration.Gateway.Files;

public sealed class LateUploadTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_that_ends_while_the_database_is_away_is_on_record_when_it_is_back()
    {
        await using var provider = await FakeProvider.StartAsync(cancellationToken: Cancellation);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        await using var direct = NpgsqlDataSource.Create(database);
        await using var proxy = new PostgresProxy(database);
        await using var host = await VerbatimHost.StartAsync(
            proxy.ConnectionString,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Gateway:Deployments:keeps:Kind"] = "openai",
                ["Gateway:Deployments:keeps:BaseUrl"] = provider.BaseAddress.ToString(),
                ["Gateway:Deployments:keeps:ApiKey"] = "sk-the-providers-own",
                ["Gateway:Deployments:keeps:Model"] = "gpt-*",
            }
        );
        using var client = host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));
        using var form = new MultipartFormDataContent
        {
            { new StringContent("user_data"), "purpose" },
            { new StringContent("Some text."), "file", "a.txt" },
            { new StringContent("gpt@hold-after=0+10"), "model" },
        };

        var upload = client.PostAsync("/v1/files", form, Cancellation);
        var asked = await provider.Requests.FirstAsync("a.txt", Cancellation);
        await asked.HeldAsync(Cancellation);
        proxy.Pause();
        await using (
            var command = direct.CreateCommand(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and application_name = 'verbatim'
                """
            )
        )
            Assert.True((long)(await command.ExecuteScalarAsync(Cancellation))! > 0);
        asked.Release();
        using (var answer = await upload)
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        proxy.Resume();

        await Eventually.UntilAsync(async () =>
        {
            await using var command = direct.CreateCommand(
                "select exists (select from platform.events where type = 'gateway.file-uploaded')"
            );
            return (bool)(await command.ExecuteScalarAsync(Cancellation))!;
        });
    }
}
