using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Verbatim.Platform.Evidence.Anchors;

/// <summary>Reads where checkpoints go.</summary>
internal static class AnchorSettings
{
    /// <exception cref="Configuration.SettingException">A setting is wrong.</exception>
    public static IReadOnlyList<IAnchorTarget> ReadTargets(IConfiguration configuration) =>
        [
            .. new IAnchorTarget?[]
            {
                WebhookAnchor.Read(configuration),
                FileAnchor.Read(configuration),
            }.OfType<IAnchorTarget>(),
        ];

    public static string? Read(IConfiguration configuration, string name) =>
        configuration[name] is { Length: > 0 } value ? value : null;

    public static string Digest(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
