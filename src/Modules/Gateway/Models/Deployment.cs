namespace Verbatim.Modules.Gateway.Models;

/// <summary>A model at a provider.</summary>
/// <param name="Name">What records and logs call it.</param>
/// <param name="Provider">What kind of provider: <c>openai-compatible</c> or <c>simulator</c>.</param>
/// <param name="Pattern">The model name that callers use; a <c>*</c> at its end stands for any rest.</param>
/// <param name="UpstreamModel">The provider's name of the model, or null where the caller's is sent on.</param>
/// <param name="AskForUsage">Ask every stream for its usage, also when the caller did not.</param>
/// <param name="FirstByteTimeout">How long the provider may take to begin its answer.</param>
/// <param name="IdleTimeout">How long an answer that has begun may pause.</param>
/// <param name="Client">Sends requests there, its credential included.</param>
internal sealed record Deployment(
    string Name,
    string Provider,
    string Pattern,
    string? UpstreamModel,
    bool AskForUsage,
    TimeSpan FirstByteTimeout,
    TimeSpan IdleTimeout,
    ProviderClient Client
)
{
    /// <summary>True when it stands for one model name, which can be listed.</summary>
    public bool IsExact => !Pattern.EndsWith('*');

    public bool Serves(string model) =>
        IsExact ? model == Pattern : model.StartsWith(Pattern.AsSpan(0, Pattern.Length - 1), StringComparison.Ordinal);
}
