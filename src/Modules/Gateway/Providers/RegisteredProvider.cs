using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>A provider of models that an organization has an account at, or runs. Its credential is in a table of its own, sealed.</summary>
/// <param name="Terms">What administrators decide about it.</param>
/// <param name="HasCredential">It has a credential.</param>
/// <param name="CredentialHint">The credential's last four characters; null where it is too short to show any.</param>
/// <param name="SetBy">The setting of the configuration that it comes from; null when it is managed by the API.</param>
/// <param name="LastValidation">What was found when it was last tried out.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="DeletedAt">When it was deleted, for good.</param>
[StreamType("provider", Owner = DocumentOwner.Organization)]
internal sealed record RegisteredProvider(
    ProviderTerms Terms,
    bool HasCredential,
    string? CredentialHint,
    string? SetBy,
    ProviderValidation? LastValidation,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeletedAt
) : IDocument<RegisteredProvider>
{
    public static RegisteredProvider Evolve(RegisteredProvider? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ProviderRegistered e) => new RegisteredProvider(
                e.Terms,
                HasCredential: false,
                CredentialHint: null,
                e.SetBy,
                LastValidation: null,
                e.CreatedAt,
                DeletedAt: null
            ),
            ({ DeletedAt: null } provider, ProviderChanged e) => provider with { Terms = e.Terms },
            ({ DeletedAt: null } provider, ProviderCredentialReplaced e) => provider with
            {
                HasCredential = true,
                CredentialHint = e.Hint,
            },
            ({ DeletedAt: null } provider, ProviderCredentialRemoved) => provider with
            {
                HasCredential = false,
                CredentialHint = null,
            },
            ({ DeletedAt: null } provider, ProviderValidated e) => provider with { LastValidation = e.Validation },
            ({ DeletedAt: null } provider, ProviderDeleted e) => provider with { DeletedAt = e.DeletedAt },
            _ => throw new UnexpectedEventException(typeof(RegisteredProvider), @event),
        };
}

/// <summary>What administrators decide about a provider.</summary>
/// <param name="Name">What people call it; one of this name an organization.</param>
/// <param name="Kind">What stands there: <c>openai</c>, <c>anthropic</c>, <c>azure-openai</c> …</param>
/// <param name="BaseUrl">Where it is, up to and with its version, without a slash at the end; for Azure the resource's address.</param>
/// <param name="ApiVersion">Azure's <c>api-version</c>.</param>
/// <param name="ConnectTimeout">How long a connection to it may take.</param>
internal sealed record ProviderTerms(
    string Name,
    string Kind,
    string BaseUrl,
    string? ApiVersion,
    TimeSpan ConnectTimeout
);

/// <summary>What was found when a provider was tried out.</summary>
/// <param name="IsValid">It answered as a provider of its kind does.</param>
/// <param name="LatencyMs">How long the last answer took, in milliseconds.</param>
/// <param name="Models">How many models it lists.</param>
/// <param name="Model">The model that was asked for one token; null if none was.</param>
/// <param name="Error">What was wrong: <c>wrong-credential</c>, <c>unreachable</c> …</param>
/// <param name="At">When.</param>
internal sealed record ProviderValidation(
    bool IsValid,
    double LatencyMs,
    int Models,
    string? Model,
    string? Error,
    DateTimeOffset At
)
{
    public static ProviderValidation Of(ProbeResult result, string? model, DateTimeOffset now) =>
        new(result.IsValid, result.LatencyMs, result.Models.Count, model, result.Error?.Code, now);
}

/// <summary>A provider can be used from now on.</summary>
[EventType("gateway.provider-registered")]
internal sealed record ProviderRegistered(ProviderTerms Terms, string? SetBy, DateTimeOffset CreatedAt)
    : ISettingChange;

/// <summary>Something about a provider is different from now on.</summary>
[EventType("gateway.provider-changed")]
internal sealed record ProviderChanged(ProviderTerms Terms) : ISettingChange;

/// <summary>A provider is called with another credential from now on.</summary>
/// <param name="Hint">Its last four characters; null where it is too short to show any.</param>
[EventType("gateway.provider-credential-replaced")]
internal sealed record ProviderCredentialReplaced(string? Hint) : ISettingChange;

/// <summary>A provider is called without a credential from now on; the one that it had is forgotten.</summary>
[EventType("gateway.provider-credential-removed")]
internal sealed record ProviderCredentialRemoved : ISettingChange;

/// <summary>A provider was tried out. Nothing is different because of it.</summary>
[EventType("gateway.provider-validated")]
internal sealed record ProviderValidated(ProviderValidation Validation) : IEvent;

/// <summary>Settings of a provider were tried out and not saved. The credential is nowhere in it.</summary>
/// <param name="Kind">The kind of provider.</param>
/// <param name="BaseUrl">Where it was looked for.</param>
/// <param name="ApiVersion">Azure's <c>api-version</c>.</param>
/// <param name="Validation">What was found.</param>
[EventType("gateway.provider-tried")]
internal sealed record ProviderTried(string Kind, string BaseUrl, string? ApiVersion, ProviderValidation Validation)
    : IEvent;

/// <summary>A provider is gone, with its credential.</summary>
[EventType("gateway.provider-deleted")]
internal sealed record ProviderDeleted(DateTimeOffset DeletedAt) : ISettingChange;
