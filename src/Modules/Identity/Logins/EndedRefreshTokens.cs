using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Hashes of refresh tokens that have ended by themselves. Until then used ones stay too: one that comes back was stolen.</summary>
internal sealed class EndedRefreshTokens() : Sweep("identity.refresh_tokens", "expires_at");
