using System.Reflection;
using System.Text.RegularExpressions;
using Verbatim.Modules.Audit;
using Verbatim.Modules.Gateway;
using Verbatim.Modules.Identity;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Architecture;

/// <summary>The rules of the house that the compiler does not keep.</summary>
public sealed class ModuleTests
{
    private static readonly IModule[] Modules = [new IdentityModule(), new GatewayModule(), new AuditModule()];

    private static readonly Assembly Platform = typeof(EventStore).Assembly;

    private static readonly string[] WordsThatSayNothing =
    [
        "Manager",
        "Helper",
        "Helpers",
        "Util",
        "Utils",
        "Common",
        "Dto",
        "Impl",
    ];

    public static TheoryData<IModule> All => new(Modules);

    [Fact]
    public void Every_module_in_the_repository_is_tested_here()
    {
        var folders = Directory
            .GetDirectories(Path.Combine(RepositoryRoot(), "src", "Modules"))
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal);

        Assert.Equal(
            folders,
            Modules
                .Select(m => m.GetType().Name.Replace("Module", "", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_module_knows_only_Platform_and_Contracts(IModule module)
    {
        var ours = module
            .GetType()
            .Assembly.GetReferencedAssemblies()
            .Select(a => a.Name!)
            .Where(n => n.StartsWith("Verbatim", StringComparison.Ordinal));

        Assert.Empty(ours.Except(["Verbatim.Platform", "Verbatim.Contracts"], StringComparer.Ordinal));
    }

    [Fact]
    public void Platform_knows_no_module_and_no_contract() =>
        Assert.DoesNotContain(
            Platform.GetReferencedAssemblies(),
            a => a.Name!.StartsWith("Verbatim", StringComparison.Ordinal)
        );

    [Theory]
    [MemberData(nameof(All))]
    public void Every_request_type_is_public_or_its_validation_is_skipped_without_a_word(IModule module)
    {
        var hidden = TypesOf(module)
            .Where(t => t.Name.EndsWith("Request", StringComparison.Ordinal) && IsBodyOfAnEndpoint(t) && !t.IsPublic);

        Assert.Empty(hidden);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_event_is_named_after_its_module(IModule module)
    {
        var catalog = new EventCatalog([module.GetType().Assembly]);

        Assert.All(catalog.Shapes, s => Assert.Matches($"^{module.Name}\\.[a-z0-9]+(-[a-z0-9]+)+$", s.Name));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void No_type_has_a_name_that_says_nothing(IModule module) =>
        Assert.DoesNotContain(
            TypesOf(module),
            t => WordsThatSayNothing.Any(w => t.Name.EndsWith(w, StringComparison.Ordinal))
        );

    [Theory]
    [MemberData(nameof(All))]
    public void Every_async_method_says_so(IModule module)
    {
        var silent = TypesOf(module)
            .SelectMany(t =>
                t.GetMethods(
                    BindingFlags.Instance
                        | BindingFlags.Static
                        | BindingFlags.Public
                        | BindingFlags.NonPublic
                        | BindingFlags.DeclaredOnly
                )
            )
            .Where(m =>
                m.ReturnType == typeof(Task)
                || (m.ReturnType.IsGenericType && m.ReturnType.GetGenericTypeDefinition() == typeof(Task<>))
            )
            .Where(m =>
                !m.IsSpecialName
                && !m.Name.Contains('<', StringComparison.Ordinal)
                && !m.Name.EndsWith("Async", StringComparison.Ordinal)
            );

        Assert.Empty(silent.Select(m => $"{m.DeclaringType}.{m.Name}"));
    }

    [Fact]
    public void Time_and_ids_come_from_their_one_source()
    {
        var pattern = new Regex(
            @"DateTime(Offset)?\.(Utc)?Now|Guid\.(NewGuid|CreateVersion7)\(|new Random\(",
            RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
            TimeSpan.FromSeconds(1)
        );
        // The id source itself; a hash of nobody's password, which must be unguessable and is never seen; the request's id, which no test decides.
        string[] allowed = ["IdSource.cs", "Passwords.cs", "RequestId.cs"];

        var found = Directory
            .EnumerateFiles(Path.Combine(RepositoryRoot(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f =>
                !f.Contains("/obj/", StringComparison.Ordinal)
                && !allowed.Contains(Path.GetFileName(f), StringComparer.Ordinal)
            )
            .SelectMany(f =>
                File.ReadLines(f)
                    .Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal) && pattern.IsMatch(l))
                    .Select(l => $"{Path.GetFileName(f)}: {l.Trim()}")
            );

        Assert.Empty(found);
    }

    private static IEnumerable<Type> TypesOf(IModule module) =>
        module
            .GetType()
            .Assembly.GetTypes()
            .Where(t => t.Namespace?.StartsWith("Verbatim", StringComparison.Ordinal) is true);

    private static bool IsBodyOfAnEndpoint(Type request) =>
        request
            .Assembly.GetTypes()
            .Where(t => t.IsAssignableTo(typeof(IEndpoint)))
            .SelectMany(t =>
                t.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            )
            .Any(m => m.GetParameters().Any(p => p.ParameterType == request));

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Monolith.sln")))
            folder = folder.Parent;
        return folder.FullName;
    }
}
