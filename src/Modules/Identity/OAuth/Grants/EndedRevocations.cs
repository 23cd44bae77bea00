using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>Revocations of tokens that have ended meanwhile.</summary>
internal sealed class EndedRevocations() : Sweep("identity.revoked_tokens", "expires_at");
