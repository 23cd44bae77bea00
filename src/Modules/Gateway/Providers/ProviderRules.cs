using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>What must hold of a provider whenever it is registered or changed.</summary>
internal static class ProviderRules
{
    public static readonly HttpError NotFound = new(404, "gateway.provider-not-found", "There is no such provider.");

    public static readonly HttpError NameTaken = new(
        409,
        "gateway.provider-exists",
        "There is a provider of this name already."
    );

    public static readonly HttpError InvalidAddress = new(
        422,
        "gateway.invalid-base-url",
        "'baseUrl' must be an http or https address without user, query and fragment, such as https://api.openai.com/v1; this kind has none of its own."
    );

    public static readonly HttpError NoApiVersion = new(
        422,
        "gateway.api-version-missing",
        "Azure needs an 'apiVersion', for instance 2024-10-21."
    );

    public static readonly HttpError CredentialNeeded = new(
        422,
        "gateway.credential-needed",
        "Another 'baseUrl' needs the 'apiKey' again: a credential is not sent to an address that it was not given for."
    );

    /// <summary>What configuration has set is changed there.</summary>
    public static HttpError SetByConfiguration(string setting) =>
        new(409, "gateway.set-by-configuration", $"It is set by the configuration ({setting}); change it there.");

    /// <summary>The refusal of an error that an endpoint names.</summary>
    public static Decision Refuse(HttpError error) =>
        Decision.Refuse(
            error.Status switch
            {
                404 => RefusalKind.NotFound,
                403 => RefusalKind.Forbidden,
                409 => RefusalKind.Conflict,
                _ => RefusalKind.Invalid,
            },
            error.Code,
            error.Message
        );

    /// <summary>The first rule that is broken, or null.</summary>
    public static Decision? Check(ProviderTerms terms) => Wrong(terms) is { } wrong ? Refuse(wrong) : null;

    /// <summary>The same for who decides nothing.</summary>
    public static HttpError? Wrong(ProviderTerms terms)
    {
        if (!IsAddress(terms.BaseUrl))
            return InvalidAddress;
        return terms.Kind == ProviderKinds.NameOf(ProviderKind.AzureOpenAi) && string.IsNullOrEmpty(terms.ApiVersion)
            ? NoApiVersion
            : null;
    }

    /// <summary>Whether calls can be sent to an address: what is in it must not carry anything but the place.</summary>
    public static bool IsAddress(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && uri.UserInfo.Length == 0
        && uri.Query.Length == 0
        && uri.Fragment.Length == 0;

    /// <summary>Whether a header can carry it: visible ASCII (RFC 9110 §5.5), without spaces.</summary>
    public static bool IsCredential(string credential) => credential.All(static c => c is > ' ' and <= '~');

    public static bool IsConnectTimeout(TimeSpan timeout) =>
        timeout > TimeSpan.Zero && timeout <= TimeSpan.FromMinutes(5);

    /// <summary>Whether two addresses are of one server, which may then have the same credential.</summary>
    public static bool IsSameServer(string one, string other) =>
        Uri.Compare(
            new Uri(one),
            new Uri(other),
            UriComponents.SchemeAndServer,
            UriFormat.SafeUnescaped,
            StringComparison.OrdinalIgnoreCase
        ) == 0;
}
