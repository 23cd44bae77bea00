using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>Hashes of links that set a password and have ended.</summary>
internal sealed class EndedPasswordResets() : Sweep("identity.password_resets", "expires_at");
