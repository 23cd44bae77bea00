using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>Hashes of codes that nobody would bring any more, a thief included.</summary>
internal sealed class EndedAuthorizationCodes() : Sweep("identity.authorization_codes", "expires_at");
