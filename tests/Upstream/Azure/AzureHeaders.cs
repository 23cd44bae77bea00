namespace Verbatim.Tests.Upstream.Azure;

/// <summary>The headers of Azure OpenAI's answers; ids are made up.</summary>
internal static class AzureHeaders
{
    public static readonly KeyValuePair<string, string>[] All =
    [
        new("apim-request-id", "a3a5b0f6-0000-4000-8000-000000000000"),
        new("azureml-model-session", "d016-20250101000000"),
        new("cmp-upstream-response-duration", "204"),
        new("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        new("x-accel-buffering", "no"),
        new("x-content-type-options", "nosniff"),
        new("x-ms-client-request-id", "a3a5b0f6-0000-4000-8000-000000000000"),
        new("x-ms-deployment-name", "fake"),
        new("x-ms-rai-invoked", "true"),
        new("x-ms-region", "Sweden Central"),
        new("x-ratelimit-limit-requests", "1000"),
        new("x-ratelimit-limit-tokens", "1000000"),
        new("x-ratelimit-remaining-requests", "999"),
        new("x-ratelimit-remaining-tokens", "999981"),
        new("x-request-id", "b9e1c7a0-0000-4000-8000-000000000000"),
    ];
}
