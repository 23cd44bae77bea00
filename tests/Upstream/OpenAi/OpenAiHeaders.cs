namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>The headers of OpenAI's answers.</summary>
internal static class OpenAiHeaders
{
    /// <summary>
    /// What api.openai.com sends with an answer, as recorded in December 2025 (the instrumentation tests of
    /// opentelemetry-python-contrib keep such records); ids are made up.
    /// </summary>
    public static readonly KeyValuePair<string, string>[] All =
    [
        new("access-control-expose-headers", "X-Request-ID"),
        new("alt-svc", "h3=\":443\"; ma=86400"),
        new("cf-cache-status", "DYNAMIC"),
        new("cf-ray", "9aed6932dfb8ed9e-MXP"),
        new("openai-organization", "org-fake"),
        new("openai-processing-ms", "228"),
        new("openai-project", "proj_fake"),
        new("openai-version", "2020-10-01"),
        new("server", "cloudflare"),
        new("set-cookie", "__cf_bm=fake; path=/; domain=.api.openai.com; HttpOnly; Secure; SameSite=None"),
        new("set-cookie", "_cfuvid=fake; path=/; domain=.api.openai.com; HttpOnly; Secure; SameSite=None"),
        new("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        new("x-content-type-options", "nosniff"),
        new("x-ratelimit-limit-requests", "10000"),
        new("x-ratelimit-limit-tokens", "10000000"),
        new("x-ratelimit-remaining-requests", "9999"),
        new("x-ratelimit-remaining-tokens", "9999993"),
        new("x-ratelimit-reset-requests", "6ms"),
        new("x-ratelimit-reset-tokens", "0s"),
        new("x-request-id", "req_279d1848f0cf450dbffc9d7776f157f7"),
    ];
}
