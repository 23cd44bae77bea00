using System.Net;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway;

public sealed class UnsupportedPartTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private const string Sound =
        """{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_that_nothing_is_left_of_is_left_out_with_a_warning()
    {
        var marker = Guid.NewGuid().ToString();
        using var response = await AskAsync($$"""{"role":"user","content":"Hello {{marker}}"},{{Sound}}""");

        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("messages[1].content[0]", response.Headers.GetValues("x-verbatim-unsupported").Single());
        var sent = JsonNode.Parse(gateway.Provider.Requests.Of(marker).Single().BodyText)!;
        Assert.Single(sent["messages"]!.AsArray());
    }

    [Fact]
    public async Task Messages_that_nothing_is_left_of_are_refused_even_so()
    {
        using var response = await AskAsync(Sound);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["error"]!;

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("messages[0].content[0]", error["param"]!.GetValue<string>());
    }

    private Task<HttpResponseMessage> AskAsync(string messages) =>
        gateway.PostAsync(
            $$"""{"model":"claude-fake","messages":[{{messages}}]}""",
            Cancellation,
            r => r.Headers.Add("x-verbatim-unsupported", "warn")
        );
}
