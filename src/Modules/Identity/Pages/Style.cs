using System.Security.Cryptography;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>The pages' style sheet and icon, each under a name that changes with what is in it, so that browsers may keep them for ever.</summary>
internal static class Style
{
    private static readonly byte[] Sheet = Read("style.css");
    private static readonly byte[] Icon = Read("icon.svg");

    public static string SheetPath { get; } = $"/assets/{Named(Sheet, "css")}";

    public static string IconPath { get; } = $"/assets/{Named(Icon, "svg")}";

    /// <summary>The file of this path and its content type, or null.</summary>
    public static (byte[] Content, string Type)? Find(string path) =>
        path == SheetPath ? (Sheet, "text/css; charset=utf-8")
        : path == IconPath ? (Icon, "image/svg+xml")
        : null;

    private static string Named(byte[] content, string extension) =>
        $"verbatim.{Convert.ToHexStringLower(SHA256.HashData(content))[..12]}.{extension}";

    private static byte[] Read(string name)
    {
        using var stream =
            typeof(Style).Assembly.GetManifestResourceStream("Pages/" + name)
            ?? throw new InvalidOperationException($"The resource {name} is missing.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
