using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Consents;

/// <summary>A person lets an application act for them, until they withdraw it.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do at most.</param>
/// <param name="GivenAt">When they first agreed.</param>
/// <param name="WithdrawnAt">When they took it back.</param>
[StreamType("consent", Owner = nameof(UserId))]
internal sealed record Consent(
    Guid UserId,
    Guid ClientId,
    IReadOnlyList<string> Scopes,
    DateTimeOffset GivenAt,
    DateTimeOffset? WithdrawnAt
) : IDocument<Consent>
{
    public static Consent Evolve(Consent? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ConsentGiven e) => new Consent(e.UserId, e.ClientId, e.Scopes, e.GivenAt, WithdrawnAt: null),
            ({ WithdrawnAt: null } consent, ConsentExtended e) => consent with { Scopes = e.Scopes },
            ({ WithdrawnAt: null } consent, ConsentWithdrawn e) => consent with { WithdrawnAt = e.WithdrawnAt },
            _ => throw new UnexpectedEventException(typeof(Consent), @event),
        };

    /// <summary>Whether the person need not be asked again.</summary>
    public bool Covers(IEnumerable<string> scopes) =>
        WithdrawnAt is null && scopes.All(s => Scopes.Contains(s, StringComparer.Ordinal));
}

/// <summary>A person has agreed that an application acts for them.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do at most.</param>
/// <param name="GivenAt">When.</param>
[EventType("identity.consent-given")]
internal sealed record ConsentGiven(Guid UserId, Guid ClientId, IReadOnlyList<string> Scopes, DateTimeOffset GivenAt)
    : IEvent;

/// <summary>The person has agreed to more.</summary>
/// <param name="Scopes">All that the application may do now.</param>
/// <param name="ExtendedAt">When.</param>
[EventType("identity.consent-extended")]
internal sealed record ConsentExtended(IReadOnlyList<string> Scopes, DateTimeOffset ExtendedAt) : IEvent;

/// <summary>The person has taken it back; the application's logins for them were ended with it.</summary>
/// <param name="WithdrawnAt">When.</param>
[EventType("identity.consent-withdrawn")]
internal sealed record ConsentWithdrawn(DateTimeOffset WithdrawnAt) : IEvent;
