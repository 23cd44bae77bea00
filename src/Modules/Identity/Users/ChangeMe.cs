using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>What to change of one's profile; what is left out stays as it is, and an empty text takes it away.</summary>
public sealed record ChangeMeRequest(
    [property: StringLength(100)] [property: Description("What you are called.")] string? DisplayName = null,
    [property: RegularExpression("^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$"), StringLength(35)]
    [property: Description("The language tag (BCP 47) of your choice, such as en or de-CH.")]
        string? Locale = null,
    [property: IanaTimeZone]
    [property: Description("Your time zone, by its IANA name, such as Europe/Zurich.")]
        string? TimeZone = null,
    [property: Preferences]
    [property: Description(
        "What your programs keep, at most 16 KB: a JSON object, which replaces the one from before."
    )]
        IReadOnlyDictionary<string, JsonElement>? Preferences = null
);

/// <summary>The IANA name of a time zone, or nothing.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class IanaTimeZoneAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) =>
        value is null or ""
        || (
            value is string { Length: <= 100 } name
            && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)
            && zone.HasIanaId
        );

    public override string FormatErrorMessage(string name) =>
        "Give the IANA name of a time zone, such as Europe/Zurich.";
}

/// <summary>A JSON object that is not large.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PreferencesAttribute : ValidationAttribute
{
    private const int MaxBytes = 16 * 1024;

    public override bool IsValid(object? value) =>
        value is null
        || (
            value is IReadOnlyDictionary<string, JsonElement> json
            && JsonSerializer.SerializeToUtf8Bytes(json).Length <= MaxBytes
        );

    public override string FormatErrorMessage(string name) => "Give a JSON object of at most 16384 bytes.";
}

internal sealed class ChangeMe : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/me", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .WithTags("Authentication")
            .WithSummary("Change your profile and preferences")
            .WithDescription(
                "What you are called, your language and time zone, and what your programs keep, in this organization."
            )
            .WithRequestExample(new ChangeMeRequest("Ada", "en-GB", "Europe/London", MeResponse.Example.Preferences))
            .WithResponseExample(StatusCodes.Status200OK, MeResponse.Example)
            .ProducesError(404, "identity.user-not-found", "There is no such person in your organization.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<MeResponse>, ProblemHttpResult>> HandleAsync(
        ChangeMeRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<User>(
            caller.For(http),
            caller.PrincipalId,
            user => Decide(user, request),
            cancellationToken
        );
        return outcome.Match<Results<Ok<MeResponse>, ProblemHttpResult>>(
            user =>
            {
                EntityTags.Set(http, user.Version);
                return TypedResults.Ok(MeResponse.From(caller, user.Value));
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(User? user, ChangeMeRequest request)
    {
        if (user is null or { RemovedAt: not null })
            return User.NotFound;
        var changed = new ProfileChanged(
            Replace(user.DisplayName, request.DisplayName),
            Replace(user.Locale, request.Locale),
            Replace(user.TimeZone, request.TimeZone),
            request.Preferences is { } json ? new RawJson(JsonSerializer.SerializeToUtf8Bytes(json)) : user.Preferences
        );
        return changed == new ProfileChanged(user.DisplayName, user.Locale, user.TimeZone, user.Preferences)
            ? Decision.Nothing
            : Decision.Append(changed);
    }

    private static string? Replace(string? before, string? wanted) =>
        wanted switch
        {
            null => before,
            "" => null,
            _ => wanted,
        };
}
