using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>Who stands behind a credential, as the database says.</summary>
/// <param name="Caller">Who it is.</param>
/// <param name="ExpiresAt">When the credential ends by itself, or null.</param>
/// <param name="RestsOn">The streams that it rests on.</param>
internal sealed record FoundCaller(Caller Caller, DateTimeOffset? ExpiresAt, IReadOnlyList<Guid> RestsOn)
{
    /// <summary>What is looked at with each request: of an API key.</summary>
    public ApiKeyTerms? Terms { get; init; }
}

/// <summary>Who stands behind a credential, kept so that a request costs no read of the database.</summary>
internal sealed class RememberedCaller(FoundCaller found, DateTimeOffset readAt, Watch[] watches)
{
    // A second line of defence, should an event ever be missed.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private volatile bool _isOver;

    /// <summary>What is looked at with each request; null for nothing.</summary>
    public ApiKeyTerms? Terms { get; } = found.Terms;

    /// <summary>Who it is.</summary>
    public Caller Caller { get; } = found.Caller;

    /// <summary>What authentication answers.</summary>
    public AuthenticateResult Result { get; } =
        AuthenticateResult.Success(
            new AuthenticationTicket(
                new ClaimsPrincipal(new CallerIdentity(found.Caller, CredentialHandler.Scheme)),
                CredentialHandler.Scheme
            )
        );

    /// <summary>Whether it may still be answered with.</summary>
    public bool HoldsAt(DateTimeOffset now)
    {
        if (_isOver || now - readAt >= MaxAge)
            return false;
        foreach (var watch in watches)
        {
            if (watch.IsOver)
                return false;
        }
        return true;
    }

    /// <summary>Whether the credential has ended by itself.</summary>
    public bool IsExpiredAt(DateTimeOffset now) => found.ExpiresAt <= now;

    public void End() => _isOver = true;
}
