namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>The headers of Anthropic's answers ("Response headers" of its API's rate limits page); ids are made up.</summary>
internal static class AnthropicHeaders
{
    /// <summary>Sent with every answer, errors too, where its body has the same id.</summary>
    public static readonly StampedHeader RequestId = new("request-id", "req_", 24);

    public static readonly KeyValuePair<string, string>[] All =
    [
        new("anthropic-organization-id", "0af1c9a5-0000-4000-8000-000000000000"),
        new("anthropic-ratelimit-input-tokens-limit", "2000000"),
        new("anthropic-ratelimit-input-tokens-remaining", "1999000"),
        new("anthropic-ratelimit-input-tokens-reset", "2025-12-09T14:30:00Z"),
        new("anthropic-ratelimit-output-tokens-limit", "400000"),
        new("anthropic-ratelimit-output-tokens-remaining", "399000"),
        new("anthropic-ratelimit-output-tokens-reset", "2025-12-09T14:30:01Z"),
        new("anthropic-ratelimit-requests-limit", "4000"),
        new("anthropic-ratelimit-requests-remaining", "3999"),
        new("anthropic-ratelimit-requests-reset", "2025-12-09T14:29:59Z"),
        new("anthropic-ratelimit-tokens-limit", "2400000"),
        new("anthropic-ratelimit-tokens-remaining", "2398000"),
        new("anthropic-ratelimit-tokens-reset", "2025-12-09T14:30:00Z"),
        new("cf-cache-status", "DYNAMIC"),
        new("cf-ray", "9ab6932dfb8ed9e0-MXP"),
        new("server", "cloudflare"),
        new("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        new("via", "1.1 google"),
        new("x-envoy-upstream-service-time", "1203"),
        new("x-robots-tag", "none"),
    ];
}
