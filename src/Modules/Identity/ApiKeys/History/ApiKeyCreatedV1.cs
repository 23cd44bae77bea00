using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ApiKeys.History;

/// <summary>From before keys could belong to service accounts and projects, or be bound to addresses.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The secret's first characters, to tell keys apart.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="UserId">Who made it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
[EventType("identity.api-key-created")]
internal sealed record ApiKeyCreatedV1(
    [property: Personal(Of = nameof(ApiKeyCreatedV1.UserId))] string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt
) : IUpcast<ApiKeyCreated>
{
    public ApiKeyCreated Upcast() =>
        new(
            Name,
            Prefix,
            Scopes,
            UserId,
            PrincipalKind.User,
            ProjectId: null,
            AllowedAddresses: [],
            CreatedAt,
            ExpiresAt
        );
}
