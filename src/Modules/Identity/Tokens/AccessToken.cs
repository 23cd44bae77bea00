using System.Collections.Immutable;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Who a request acts for, as a JWT access token (RFC 9068) says it. Issuer and audience belong to
/// <see cref="AccessTokenIssuer"/> and <see cref="AccessTokenValidator"/>. Immutable; one object may serve many
/// requests. Times have the precision of a second on the wire; fractions are cut off.
/// </summary>
internal sealed record AccessToken
{
    /// <summary>The <c>typ</c> of the header (RFC 9068 §2.1); it keeps other tokens of the same key out.</summary>
    public const string Type = "at+jwt";

    /// <summary><c>jti</c>: unique, what a revocation names.</summary>
    public required Guid Id { get; init; }

    /// <summary><c>sub</c>: the user, or the client that acts for itself.</summary>
    public required Guid Subject { get; init; }

    /// <summary><c>org_id</c>: the organization (tenant) in which the subject acts.</summary>
    public required Guid OrganizationId { get; init; }

    /// <summary><c>client_id</c>: the application that was given the token; required by RFC 9068 §2.2.</summary>
    public required string ClientId { get; init; }

    /// <summary><c>sid</c>: the login that the token belongs to, with which it ends; null for a client that acts for itself.</summary>
    public Guid? LoginId { get; init; }

    /// <summary><c>roles</c> (RFC 9068 §2.2.3.1), in the organization. Not empty strings.</summary>
    public ImmutableArray<string> Roles { get; init; } = [];

    /// <summary><c>scope</c>, one element each. Each is a scope-token of RFC 6749 §3.3: no space, quote or backslash.</summary>
    public ImmutableArray<string> Scopes { get; init; } = [];

    /// <summary><c>iat</c>.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary><c>nbf</c>: the token is not valid before.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary><c>exp</c>: the token is not valid at this moment or later.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Whether the token carries the role.</summary>
    public bool HasRole(string role) => Roles.Contains(role, StringComparer.Ordinal);

    /// <summary>Whether the token carries the scope.</summary>
    public bool HasScope(string scope) => Scopes.Contains(scope, StringComparer.Ordinal);
}
