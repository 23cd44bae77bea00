namespace Verbatim.Tests.Integration.Support;

/// <summary>The folders of this repository, for tests that use files which are not compiled in.</summary>
internal static class Repository
{
    /// <summary>The folder of Monolith.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Monolith.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }
}
