using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Addresses (hashed) of invitations whose time is over: others may be sent to them.</summary>
internal sealed class EndedInvitations() : Sweep("identity.open_invitations", "expires_at");
