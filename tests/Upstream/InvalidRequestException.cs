namespace Verbatim.Tests.Upstream;

/// <summary>A request that the provider refuses; the sentence is in the provider's words and goes to the caller as a 400.</summary>
internal sealed class InvalidRequestException(string sentence) : Exception(sentence)
{
    /// <summary>The field that is wrong, where the dialect names it beside the sentence.</summary>
    public string? Field { get; init; }

    /// <summary>A code, where the dialect has one.</summary>
    public string? Code { get; init; }
}
