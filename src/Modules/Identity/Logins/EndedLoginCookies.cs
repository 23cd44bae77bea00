using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Hashes of cookies that have ended by themselves.</summary>
internal sealed class EndedLoginCookies() : Sweep("identity.login_cookies", "expires_at");
