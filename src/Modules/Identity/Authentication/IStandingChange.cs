using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>
/// An event after which credentials mean something else: a suspension, another role, a revocation, the end of a login. On every instance all
/// that rests on the event's stream, be it a person, a service account, a client, an organization, an API key or a login, is looked up anew.
/// </summary>
internal interface IStandingChange : IEvent;
