using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Http.OpenApi;

namespace Verbatim.Tests.Integration.Http;

public sealed class OpenApiStartTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    [Fact]
    public async Task The_document_is_made_when_it_is_first_asked_for_and_not_before()
    {
        var description = host.Services.GetRequiredService<ApiDescription>();
        var afterStart = description.IsMade;
        using var anyone = host.AsAnyone();

        await anyone.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken);

        Assert.False(afterStart);
        Assert.True(description.IsMade);
    }
}
