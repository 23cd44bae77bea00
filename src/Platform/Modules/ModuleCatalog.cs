using System.Reflection;

namespace Verbatim.Platform.Modules;

/// <summary>The modules of this host, and what is found in their assemblies.</summary>
/// <param name="modules">In the order in which Host names them.</param>
public sealed class ModuleCatalog(IReadOnlyList<IModule> modules)
{
    /// <summary>The modules, in the order in which Host names them.</summary>
    public IReadOnlyList<IModule> Modules { get; } = modules;

    /// <summary>Platform's own assembly, then one a module.</summary>
    public IReadOnlyList<Assembly> Assemblies { get; } =
    [typeof(ModuleCatalog).Assembly, .. modules.Select(m => m.GetType().Assembly).Distinct()];

    /// <summary>Every concrete class that is a <typeparamref name="T"/>.</summary>
    public IEnumerable<Type> TypesOf<T>() =>
        Assemblies
            .SelectMany(a => a.GetTypes())
            .Where(t => t is { IsAbstract: false, IsClass: true } && t.IsAssignableTo(typeof(T)));
}
