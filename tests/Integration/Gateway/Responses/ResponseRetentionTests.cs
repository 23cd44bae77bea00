using System.Net;
using System.Text.Json.Nodes;
using Npgsql;
using Verbatim.Tests.Integration.Gateway.Inferences;
using Verbatim.Tests.Integration.Support;
using static Verbatim.Tests.Integration.Gateway.Responses.Background;

namespace Verbatim.Tests.Integration.Gateway.Responses;

/// <summary>Responses are answered for as long as the bodies of calls are shown, and their kept streams go after that.</summary>
public sealed class ResponseRetentionTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_older_is_not_answered_and_its_stream_is_removed()
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        var plain = IdOf(await CreateAsync(client, """{"model":"gpt-fake","input":"Hello"}"""));
        using var answer = await PostAsync(client, ResponsesPath, Body("gpt-fake", "Hello", stream: true));
        var streamed = IdOf((await EventsAsync(answer).ToListAsync(Cancellation))[^1]["response"]!);
        await KeepAsync(administrator, days: 30);
        foreach (var id in (string[])[plain, streamed])
            await GetAsync(client, id);
        await RunAsync(
            "update platform.events set time = time - interval '40 days' where type like 'gateway.inference-%'"
        );

        foreach (var path in (string[])[plain, streamed, $"{streamed}?stream=true", $"{plain}/input_items"])
            await RefusedAsync(client.GetAsync($"{ResponsesPath}/{path}", Cancellation), HttpStatusCode.NotFound);
        await KeepAsync(administrator, days: null);
        foreach (var id in (string[])[plain, streamed])
            await GetAsync(client, id);

        await KeepAsync(administrator, days: 30);
        await new RetentionSteps(gateway).SweepAsync(days: 29);
        Assert.True((long)(await RunAsync("select count(*) from gateway.response_output"))! > 0);
        await new RetentionSteps(gateway).SweepAsync(days: 31);
        Assert.Equal(0L, await RunAsync("select count(*) from gateway.response_output"));
    }

    private static Task<JsonNode> KeepAsync(HttpClient administrator, int? days) =>
        administrator.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            new { inferences = new { fullDays = days, metadataDays = (int?)null } },
            HttpStatusCode.OK
        );

    private async Task<object?> RunAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(gateway.Host.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
