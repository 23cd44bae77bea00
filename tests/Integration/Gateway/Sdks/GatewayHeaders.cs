using System.ClientModel.Primitives;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>Names a provider in each request of OpenAI's SDK, and keeps the id of the inference of the last answer.</summary>
internal sealed class GatewayHeaders(string? provider = null) : PipelinePolicy
{
    public Guid InferenceId { get; private set; }

    public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex) =>
        throw new NotSupportedException("The tests ask asynchronously.");

    public override async ValueTask ProcessAsync(
        PipelineMessage message,
        IReadOnlyList<PipelinePolicy> pipeline,
        int currentIndex
    )
    {
        if (provider is not null)
            message.Request.Headers.Set("x-verbatim-provider", provider);
        await ProcessNextAsync(message, pipeline, currentIndex);
        if (message.Response?.Headers.TryGetValue(GatewayHost.InferenceIdHeader, out var id) is true)
            InferenceId = Guid.Parse(id!);
    }
}
