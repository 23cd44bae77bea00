using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.LoginPolicies;

/// <summary>What an organization asks of its members' logins. One a tenant.</summary>
/// <param name="SecondFactorRequired">Whoever logs in with a password needs a second factor.</param>
[StreamType("login-policy", Owner = DocumentOwner.Organization)]
internal sealed record LoginPolicy(bool SecondFactorRequired) : IDocument<LoginPolicy>
{
    public static LoginPolicy Evolve(LoginPolicy? current, IEvent @event) =>
        @event switch
        {
            LoginPolicySet e => new LoginPolicy(e.SecondFactorRequired),
            _ => throw new UnexpectedEventException(typeof(LoginPolicy), @event),
        };
}

/// <summary>The organization asks something else of logins from now on; those that go on already are not touched.</summary>
/// <param name="SecondFactorRequired">Whoever logs in with a password needs a second factor.</param>
[EventType("identity.login-policy-set")]
internal sealed record LoginPolicySet(bool SecondFactorRequired) : IEvent;
