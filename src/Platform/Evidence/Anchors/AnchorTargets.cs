using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Verbatim.Platform.Evidence.Anchors;

/// <summary>Where checkpoints go, as the settings say.</summary>
internal sealed class AnchorTargets : IDisposable
{
    /// <exception cref="Configuration.SettingException">A setting is wrong.</exception>
    public AnchorTargets(IConfiguration configuration)
    {
        All =
        [
            .. new IAnchorTarget?[]
            {
                WebhookAnchor.Read(configuration),
                FileAnchor.Read(configuration),
            }.OfType<IAnchorTarget>(),
        ];
    }

    public IReadOnlyList<IAnchorTarget> All { get; }

    public void Dispose()
    {
        foreach (var target in All.OfType<IDisposable>())
            target.Dispose();
    }

    internal static string? Read(IConfiguration configuration, string name) =>
        configuration[name] is { Length: > 0 } value ? value : null;

    internal static string Digest(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
