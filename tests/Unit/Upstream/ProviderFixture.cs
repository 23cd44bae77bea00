using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

/// <summary>One provider for the tests of a class, which run beside each other.</summary>
public sealed class ProviderFixture : IAsyncLifetime
{
    public FakeProvider Provider { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Provider = await FakeProvider.StartAsync();

    public ValueTask DisposeAsync() => Provider.DisposeAsync();
}
