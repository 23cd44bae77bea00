using System.Net;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Inferences;

/// <summary>Bodies of days that are over cannot be read by anybody.</summary>
public sealed class RetentionKeyTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private readonly RetentionSteps _steps = new(gateway);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_day_after_it_was_set_nobody_can_read_the_bodies_of_days_that_are_over_any_more()
    {
        using var administrator = await gateway.Host.AsAdministratorAsync(Cancellation);
        var word = $"word{Guid.NewGuid():N}";
        var day = DateOnly.FromDateTime(DateTime.UtcNow.AddDays(-50));
        var id = await _steps.RecordAsync(word, daysAgo: 50);
        var recent = await _steps.CallAsync(word);
        var bytes = (await administrator.GetJsonAsync($"/api/audit/streams/{id}?sealed=true")).ToJsonString();
        Assert.Contains(
            $"\"day\":\"{day:yyyy-MM-dd}\"",
            bytes.Replace("\\u0022", "\"", StringComparison.Ordinal),
            StringComparison.Ordinal
        );

        await administrator.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            RetentionSteps.Wanted(30, null),
            HttpStatusCode.OK
        );
        await _steps.SweepAsync(days: 0);
        Assert.Contains(word, await AuditedAsync(administrator, id), StringComparison.Ordinal);
        Assert.Null((await administrator.GetJsonAsync("/api/retention"))["erasedThrough"]);

        await _steps.SweepAsync(days: 2);
        await _steps.SweepAsync(days: 2);
        Assert.DoesNotContain(word, await AuditedAsync(administrator, id), StringComparison.Ordinal);
        Assert.Contains("[erased]", await AuditedAsync(administrator, id), StringComparison.Ordinal);
        Assert.Contains(word, await AuditedAsync(administrator, recent), StringComparison.Ordinal);
        Assert.Equal(bytes, (await administrator.GetJsonAsync($"/api/audit/streams/{id}?sealed=true")).ToJsonString());
        Assert.Equal(
            $"{day:yyyy-MM-dd}",
            (await administrator.GetJsonAsync("/api/retention"))["erasedThrough"]!.GetValue<string>()
        );
        Assert.Equal(
            1L,
            await _steps.QueryAsync(
                $"select count(*) from platform.events where type = 'platform.day-erased' and actor = 'system:retention' and tenant_id = '{await _steps.TenantAsync()}'"
            )
        );

        // To allow more later brings nothing back.
        await administrator.SendJsonAsync(
            HttpMethod.Put,
            "/api/retention",
            RetentionSteps.Wanted(null, null),
            HttpStatusCode.OK
        );
        Assert.Equal(
            "[erased]",
            (await administrator.GetJsonAsync($"/api/inferences/{id}"))["request"]!.GetValue<string>()
        );
    }

    private static async Task<string> AuditedAsync(HttpClient administrator, Guid id) =>
        (await administrator.GetJsonAsync($"/api/audit/streams/{id}")).ToJsonString();
}
