using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Gateway.InferenceIndex;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Inferences;

/// <summary>For how long calls are shown: at once for who reads, and soon in the table.</summary>
public sealed class RetentionTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private readonly RetentionSteps _steps = new(gateway);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_older_is_shown_without_bodies_and_then_not_at_all_while_the_log_keeps_it()
    {
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        using var user = await gateway.Host.AsNewAsync("user", Cancellation);
        var word = $"word{Guid.NewGuid():N}";
        var (old, older) = (await _steps.CallAsync(word), await _steps.CallAsync(word));
        await ListedAsync(older);
        await _steps.AgeAsync(old, 40);
        await _steps.AgeAsync(older, 500);

        var unset = await administrator.GetJsonAsync("/api/retention");
        Assert.Null(unset["inferences"]!["fullDays"]);
        await user.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            RetentionSteps.Wanted(30, 400),
            HttpStatusCode.Forbidden
        );
        var set = await administrator.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            RetentionSteps.Wanted(30, 400),
            HttpStatusCode.OK
        );
        Assert.Equal("\"1\"", set["$etag"]!.GetValue<string>());
        Assert.Equal(
            30,
            (await administrator.GetJsonAsync("/api/retention"))["inferences"]!["fullDays"]!.GetValue<int>()
        );

        var shown = await administrator.GetJsonAsync($"/api/inferences/{old}");
        Assert.Null(shown["request"]);
        Assert.Null(shown["response"]);
        Assert.Equal("completed", shown["status"]!.GetValue<string>());
        await administrator.GetJsonAsync($"/api/inferences/{older}", HttpStatusCode.NotFound);
        var stream = await administrator.GetJsonAsync($"/api/audit/streams/{older}");
        Assert.Contains(word, stream.ToJsonString(), StringComparison.Ordinal);

        // With the same settings, as they are read when time has passed.
        Assert.Equal([old, older], await FindAsync(days: 0, text: null));
        Assert.Equal([old, older], await FindAsync(days: 29, text: word));
        Assert.Empty(await FindAsync(days: 31, text: word));
        Assert.Equal([old, older], await FindAsync(days: 31, text: null));
        Assert.Empty(await FindAsync(days: 401, text: null));

        await _steps.SweepAsync(days: 31);
        Assert.Equal(2L, await CountAsync("words is null"));
        await _steps.SweepAsync(days: 401);
        Assert.Equal(0L, await CountAsync("true"));

        await administrator.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            RetentionSteps.Wanted(null, null),
            HttpStatusCode.OK
        );
        Assert.NotNull((await administrator.GetJsonAsync($"/api/inferences/{older}"))["request"]);
    }

    [Theory]
    [InlineData("""{"inferences":{"fullDays":0,"metadataDays":-1}}""")]
    [InlineData("""{"inferences":{"fullDays":31,"metadataDays":30}}""")]
    [InlineData("""{"inferences":{"fullDays":null,"metadataDays":30}}""")]
    [InlineData("""{"inferences":{"fullDays":40000}}""")]
    [InlineData("""{"inferences":null}""")]
    [InlineData("{}")]
    public async Task What_makes_no_sense_is_refused(string body)
    {
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        var problem = await administrator.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            JsonNode.Parse(body),
            HttpStatusCode.BadRequest
        );
        Assert.Equal("validation-failed", problem["code"]!.GetValue<string>());
    }

    private Task ListedAsync(Guid id) =>
        Eventually.UntilAsync(async () => await CountAsync($"id = '{id}' and status = 'completed'") == 1);

    private async Task<IEnumerable<Guid>> FindAsync(int days, string? text)
    {
        var listing = new InferenceListing(
            gateway.Host.Services.GetRequiredService<Database>(),
            gateway.Host.Services.GetRequiredService<DocumentStore>(),
            gateway.Host.Services.GetRequiredService<SearchKeys>(),
            new RetentionSteps.Later(days)
        );
        var page = await listing.ReadAsync(
            Access.ToAll(await _steps.TenantAsync()),
            new InferenceFilter { Text = text },
            before: null,
            rows: 10,
            Cancellation
        );
        return page.Rows.Select(r => r.Id).Order();
    }

    private Task<long> CountAsync(string condition) =>
        _steps.QueryAsync($"select count(*) from gateway.inferences where {condition}");
}
