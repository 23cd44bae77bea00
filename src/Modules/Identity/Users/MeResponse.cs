using System.Text.Json;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.ServiceAccounts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Users;

/// <summary>Who stands behind the credential.</summary>
/// <param name="UserId">The person, or the service account.</param>
/// <param name="Kind">Which of the two.</param>
/// <param name="OrganizationId">The organization that the credential speaks for.</param>
/// <param name="Email">The address of the account; null for a service account.</param>
/// <param name="Role">What the person, or the service account, may do.</param>
/// <param name="Actor">How this credential appears in the record of events.</param>
/// <param name="Scopes">What this credential may do.</param>
/// <param name="MustChangePassword">True until the one-time password was replaced.</param>
/// <param name="DisplayName">What the person is called; of a service account its name.</param>
/// <param name="Locale">The language tag (BCP 47) of the person's choice.</param>
/// <param name="TimeZone">The person's time zone, by its IANA name.</param>
/// <param name="Preferences">What the person's programs keep: a JSON object, empty if there is nothing.</param>
public sealed record MeResponse(
    Guid UserId,
    PrincipalKind Kind,
    Guid OrganizationId,
    string? Email,
    Role Role,
    string Actor,
    IReadOnlyList<string> Scopes,
    bool MustChangePassword,
    string? DisplayName,
    string? Locale,
    string? TimeZone,
    IReadOnlyDictionary<string, JsonElement> Preferences
)
{
    internal static readonly MeResponse Example = new(
        UserResponse.Example.Id,
        PrincipalKind.User,
        Guid.Parse("0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"),
        UserResponse.Example.Email,
        UserResponse.Example.Role,
        "user:0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35",
        ["account:read", "account:write", "audit:read"],
        UserResponse.Example.MustChangePassword,
        UserResponse.Example.DisplayName,
        "en-GB",
        "Europe/London",
        new Dictionary<string, JsonElement>(StringComparer.Ordinal) { ["theme"] = JsonElement.Parse("\"dark\"") }
    );

    internal static MeResponse From(Caller caller, User user) =>
        new(
            caller.PrincipalId,
            PrincipalKind.User,
            caller.TenantId,
            user.Email,
            user.Role,
            caller.Actor,
            [.. caller.Scopes.Order(StringComparer.Ordinal)],
            user.MustChangePassword,
            user.DisplayName,
            user.Locale,
            user.TimeZone,
            ReadPreferences(user.Preferences)
        );

    internal static MeResponse From(Caller caller, ServiceAccount account) =>
        new(
            caller.PrincipalId,
            PrincipalKind.ServiceAccount,
            caller.TenantId,
            Email: null,
            account.Role,
            caller.Actor,
            [.. caller.Scopes.Order(StringComparer.Ordinal)],
            MustChangePassword: false,
            account.Name,
            Locale: null,
            TimeZone: null,
            ReadPreferences(null)
        );

    // What is left of an erased person is no object.
    private static Dictionary<string, JsonElement> ReadPreferences(RawJson? json) =>
        json is { } raw && raw.Utf8.Span is [(byte)'{', ..]
            ? JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(raw.Utf8.Span)!
            : new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}
