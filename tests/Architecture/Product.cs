using System.Reflection;
using System.Runtime.CompilerServices;
using Verbatim.Contracts;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Architecture;

/// <summary>The product as it is compiled, and as it is written.</summary>
internal static class Product
{
    private const string ModulePrefix = "Verbatim.Modules.";

    /// <summary>The folder that everything is in.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>One assembly a module: whatever Host references.</summary>
    public static IReadOnlyList<Assembly> ModuleAssemblies { get; } =
    [
        .. Directory
            .GetFiles(AppContext.BaseDirectory, ModulePrefix + "*.dll")
            .Select(file => Assembly.Load(Path.GetFileNameWithoutExtension(file)))
            .OrderBy(a => a.GetName().Name, StringComparer.Ordinal),
    ];

    /// <summary>All that runs in production.</summary>
    public static IReadOnlyList<Assembly> Assemblies { get; } =
    [
        typeof(IModule).Assembly,
        typeof(Scopes).Assembly,
        Assembly.Load("Verbatim.Evidence"),
        Assembly.Load("Verbatim.Host"),
        .. ModuleAssemblies,
    ];

    public static IReadOnlyList<IModule> Modules { get; } =
    [
        .. ModuleAssemblies
            .SelectMany(a => a.GetTypes())
            .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IModule)))
            .Select(t => (IModule)Activator.CreateInstance(t)!),
    ];

    /// <summary>What the product is written in: src.</summary>
    public static IReadOnlyList<SourceFile> Sources { get; } = ReadFolder("src");

    /// <summary>The tests, and what they bring with them.</summary>
    public static IReadOnlyList<SourceFile> TestSources { get; } = ReadFolder("tests");

    /// <summary>The module that an assembly is.</summary>
    public static IModule ModuleOf(Assembly assembly) => Modules.Single(m => m.GetType().Assembly == assembly);

    /// <summary>Types as they were written: without those that the compiler makes.</summary>
    public static IEnumerable<Type> TypesOf(Assembly assembly) =>
        assembly
            .GetTypes()
            .Where(t =>
                !t.IsDefined(typeof(CompilerGeneratedAttribute)) && !t.Name.Contains('<', StringComparison.Ordinal)
            )
            // Generated sources live in namespaces of the framework.
            .Where(t => t.FullName!.StartsWith("Verbatim.", StringComparison.Ordinal));

    /// <summary>C# has no other mark of a record.</summary>
    public static bool IsRecord(Type type) => type.GetMethod("<Clone>$") is not null;

    private static List<SourceFile> ReadFolder(string folder) =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
                .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "node_modules"))
                .Order(StringComparer.Ordinal)
                .Select(path => new SourceFile(path, File.ReadAllText(Path.Combine(Root, path)))),
        ];

    private static string FindRoot([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", ".."));
}
