namespace Verbatim.Tests.Benchmarks;

/// <summary>Where the repository's own things are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>What was installed for a benchmark is kept here.</summary>
    public static string Cache => Path.Combine(Root, ".cache");

    /// <summary>An assembly of another project, built with the same configuration as this one.</summary>
    public static string Build(string project, string assembly)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var path = Path.Combine(Root, project, "bin", configuration, "net10.0", assembly);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"{path} is missing; build the solution first.");
    }

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Monolith.sln")))
            folder = folder.Parent;
        return folder?.FullName
            ?? throw new InvalidOperationException("The benchmark does not run inside the repository.");
    }
}
