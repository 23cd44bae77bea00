namespace Verbatim.Modules.Gateway.Providers;

/// <summary>A provider, without its credential.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Kind">What stands there.</param>
/// <param name="BaseUrl">Where it is.</param>
/// <param name="ApiVersion">Azure's <c>api-version</c>.</param>
/// <param name="ConnectTimeoutSeconds">How long a connection to it may take.</param>
/// <param name="HasCredential">It has a credential. It is never shown.</param>
/// <param name="CredentialHint">The credential's last four characters; null where it is too short to show any.</param>
/// <param name="SetBy">The setting of the configuration that it comes from, and where alone it can be changed; null when the API manages it.</param>
/// <param name="LastValidation">What was found when it was last tried out.</param>
/// <param name="CreatedAt">When it was registered.</param>
public sealed record ProviderResponse(
    Guid Id,
    string Name,
    string Kind,
    string BaseUrl,
    string? ApiVersion,
    double ConnectTimeoutSeconds,
    bool HasCredential,
    string? CredentialHint,
    string? SetBy,
    LastValidationResponse? LastValidation,
    DateTimeOffset CreatedAt
)
{
    internal static readonly ProviderResponse Example = From(
        Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"),
        new RegisteredProvider(
            new ProviderTerms(
                "ollama",
                "ollama",
                "http://127.0.0.1:11434/v1",
                ApiVersion: null,
                ProviderSettings.DefaultConnectTimeout
            ),
            HasCredential: true,
            CredentialHint: "3f2a",
            SetBy: null,
            LastValidation: null,
            new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero),
            DeletedAt: null
        )
    );

    internal static ProviderResponse From(Guid id, RegisteredProvider provider) =>
        new(
            id,
            provider.Terms.Name,
            provider.Terms.Kind,
            provider.Terms.BaseUrl,
            provider.Terms.ApiVersion,
            provider.Terms.ConnectTimeout.TotalSeconds,
            provider.HasCredential,
            provider.CredentialHint,
            provider.SetBy,
            provider.LastValidation is { } v
                ? new LastValidationResponse(v.IsValid, v.LatencyMs, v.Models, v.Model, v.Error, v.At)
                : null,
            provider.CreatedAt
        );
}

/// <summary>What was found when a provider was last tried out.</summary>
/// <param name="IsValid">It answered as a provider of its kind does.</param>
/// <param name="LatencyMs">How long its last answer took, in milliseconds.</param>
/// <param name="Models">How many models it listed.</param>
/// <param name="Model">The model that was asked for one token.</param>
/// <param name="Error">What was wrong.</param>
/// <param name="At">When.</param>
public sealed record LastValidationResponse(
    bool IsValid,
    double LatencyMs,
    int Models,
    string? Model,
    string? Error,
    DateTimeOffset At
);
