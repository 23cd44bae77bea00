namespace Verbatim.Modules.Gateway.Inferences.History;

/// <summary>What the provider counted. From before a call could have several tries, a price, a project, or bodies that are not kept.</summary>
internal sealed record UsageV1(
    long? InputTokens,
    long? OutputTokens,
    long? TotalTokens,
    long? CachedInputTokens,
    long? ReasoningTokens
)
{
    public Usage Upcast() =>
        new(
            InputTokens,
            OutputTokens,
            TotalTokens,
            CachedInputTokens,
            CacheWriteTokens: null,
            ReasoningTokens,
            Estimated: false
        );
}
