using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Links of invitations whose time is over: they cannot be used any more, only renewed.</summary>
internal sealed class EndedInvitationTokens() : Sweep("identity.invitation_tokens", "expires_at");
