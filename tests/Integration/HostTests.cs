using System.Net;

namespace Verbatim.Tests.Integration;

public sealed class HostTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_ready_once_it_listens()
    {
        using var anyone = host.AsAnyone();

        using var ready = await anyone.GetAsync("/health/ready", Cancellation);

        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    [Fact]
    public async Task An_administrator_logs_in_and_makes_a_key_that_calls()
    {
        using var caller = host.As(await host.CreateApiKeyAsync(cancellationToken: Cancellation));

        using var models = await caller.GetAsync("/v1/models", Cancellation);

        Assert.Equal(HttpStatusCode.OK, models.StatusCode);
    }

    [Fact]
    public async Task Two_hosts_share_a_database()
    {
        var key = await host.CreateApiKeyAsync(cancellationToken: Cancellation);
        await using var second = await VerbatimHost.StartAsync(host.ConnectionString);
        using var caller = second.As(key);

        using var models = await caller.GetAsync("/v1/models", Cancellation);

        Assert.Equal(HttpStatusCode.OK, models.StatusCode);
        Assert.NotEqual(host.Address, second.Address);
    }
}
