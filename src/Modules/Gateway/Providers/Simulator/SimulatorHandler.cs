using System.Net;
using System.Text;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

internal sealed class SimulatorHandler(TimeProvider time) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        await Task.Yield();
        _ = time;
        return new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new StringContent(
                "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"simulator\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}",
                Encoding.UTF8,
                "application/json"
            ),
        };
    }
}
