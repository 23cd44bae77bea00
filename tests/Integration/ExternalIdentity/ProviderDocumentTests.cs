using Verbatim.Modules.Identity.ExternalIdentity.Logins;
using Verbatim.Tests.Integration.Gateway.Settings;

namespace Verbatim.Tests.Integration.ExternalIdentity;

public sealed class ProviderDocumentTests
{
    [Theory]
    [InlineData("""{"issuer":"\ud800"}""")]
    [InlineData("""{"\udc00ssuer":"x"}""")]
    [InlineData("""{"issuer":"x"}}""")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task What_is_no_readable_metadata_is_a_fault_of_the_provider(string body)
    {
        await using var server = new CannedServer(200, "application/json", body);
        using var documents = new ProviderDocuments(TimeProvider.System);

        await Assert.ThrowsAsync<ProviderException>(() =>
            documents.DiscoverAsync(server.Address.ToString(), TestContext.Current.CancellationToken)
        );
    }
}
