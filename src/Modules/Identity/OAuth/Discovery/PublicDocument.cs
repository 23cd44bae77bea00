namespace Verbatim.Modules.Identity.OAuth.Discovery;

/// <summary>What clients may keep for a while.</summary>
internal static class PublicDocument
{
    /// <summary>
    /// Shorter than a new key is published before it signs, unless that was set to be shorter still; a client that meets an unknown
    /// <c>kid</c> asks again anyway.
    /// </summary>
    public const string CacheControl = "public, max-age=300";
}
