using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>
/// One authentication of a person in an organization. Access tokens, refresh tokens and cookies belong to one, and end with it.
/// </summary>
/// <param name="UserId">The person.</param>
/// <param name="Method">How they proved who they are.</param>
/// <param name="Factors">The proofs, as <c>amr</c> (RFC 8176) names them.</param>
/// <param name="ClientId">The OAuth client that acts for them; null for Verbatim's own.</param>
/// <param name="Scopes">What it may do at most; null for all that the person may.</param>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself.</param>
/// <param name="StartedAt">When.</param>
/// <param name="RefreshedAt">When its access token was last renewed.</param>
/// <param name="EndsAt">When it ends by itself.</param>
/// <param name="EndedAt">When it was ended before that.</param>
/// <param name="EndReason">Why it was.</param>
[StreamType("login", Owner = nameof(UserId))]
internal sealed record Login(
    Guid UserId,
    LoginMethod Method,
    IReadOnlyList<string> Factors,
    string? ClientId,
    IReadOnlyList<string>? Scopes,
    [property: Personal(Of = nameof(Login.UserId))] string Address,
    [property: Personal(Of = nameof(Login.UserId))] string? UserAgent,
    DateTimeOffset StartedAt,
    DateTimeOffset? RefreshedAt,
    DateTimeOffset EndsAt,
    DateTimeOffset? EndedAt,
    LoginEndReason? EndReason
) : IDocument<Login>
{
    public static Login Evolve(Login? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, LoginSucceeded e) => new Login(
                e.UserId,
                e.Method,
                e.Factors,
                e.ClientId,
                e.Scopes,
                e.Address,
                e.UserAgent,
                e.StartedAt,
                RefreshedAt: null,
                e.EndsAt,
                EndedAt: null,
                EndReason: null
            ),
            ({ EndedAt: null } login, LoginRefreshed e) => login with { RefreshedAt = e.RefreshedAt },
            ({ EndedAt: null } login, LoginEnded e) => login with { EndedAt = e.EndedAt, EndReason = e.Reason },
            _ => throw new UnexpectedEventException(typeof(Login), @event),
        };

    public bool IsActive(DateTimeOffset now) => EndedAt is null && now < EndsAt;
}

/// <summary>How a person proved who they are.</summary>
public enum LoginMethod
{
    /// <summary>With their password, and perhaps a second factor.</summary>
    Password,

    /// <summary>At an identity provider of the organization's.</summary>
    ExternalProvider,

    /// <summary>They let an application act for them; how they had logged in for that, the factors tell.</summary>
    Application,
}

/// <summary>Why a login ended before its time.</summary>
public enum LoginEndReason
{
    /// <summary>The person logged out.</summary>
    LoggedOut,

    /// <summary>Somebody who may ended it.</summary>
    Revoked,

    /// <summary>A refresh token came back that had been used: one of two who have it is a thief.</summary>
    RefreshTokenReused,

    /// <summary>The password was changed or reset elsewhere.</summary>
    PasswordChanged,

    /// <summary>The person went on in another organization.</summary>
    SwitchedOrganization,

    /// <summary>The authorization code that it was started with was used twice.</summary>
    CodeReused,

    /// <summary>The person took back their consent to the application.</summary>
    ConsentWithdrawn,
}

/// <summary>A person has logged in. No secret that they were given is on record.</summary>
/// <param name="UserId">The person.</param>
/// <param name="Method">How they proved who they are.</param>
/// <param name="Factors">The proofs, as <c>amr</c> (RFC 8176) names them.</param>
/// <param name="ClientId">The OAuth client that acts for them; null for Verbatim's own.</param>
/// <param name="Scopes">What it may do at most; null for all that the person may.</param>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself.</param>
/// <param name="StartedAt">When.</param>
/// <param name="EndsAt">When it ends by itself.</param>
[EventType("identity.login-succeeded", Version = 2)]
internal sealed record LoginSucceeded(
    Guid UserId,
    LoginMethod Method,
    IReadOnlyList<string> Factors,
    string? ClientId,
    IReadOnlyList<string>? Scopes,
    [property: Personal(Of = nameof(LoginSucceeded.UserId))] string Address,
    [property: Personal(Of = nameof(LoginSucceeded.UserId))] string? UserAgent,
    DateTimeOffset StartedAt,
    DateTimeOffset EndsAt
) : IEvent;

/// <summary>A refresh token was exchanged for a new one and a new access token.</summary>
/// <param name="RefreshedAt">When.</param>
[EventType("identity.login-refreshed")]
internal sealed record LoginRefreshed(DateTimeOffset RefreshedAt) : IEvent;

/// <summary>A login was ended: from a second later on nothing that belongs to it works, on any instance.</summary>
/// <param name="Reason">Why.</param>
/// <param name="EndedAt">When.</param>
[EventType("identity.login-ended")]
internal sealed record LoginEnded(LoginEndReason Reason, DateTimeOffset EndedAt) : IStandingChange;
