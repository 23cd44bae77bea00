using System.Text.RegularExpressions;
using System.Xml.Linq;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Architecture;

public sealed partial class ModuleTests
{
    [Fact]
    public void A_module_knows_Platform_and_Contracts_and_nothing_else_of_the_product()
    {
        string[] allowed = ["Platform", "Contracts"];

        var beyond = Projects("src/Modules")
            .SelectMany(p => References(p).Except(allowed, StringComparer.Ordinal).Select(r => $"{p} references {r}."));

        Findings.AssertNone(beyond);
    }

    [Fact]
    public void Contracts_knows_Platform_alone_and_Platform_knows_Evidence_alone()
    {
        Assert.Equal(["Platform"], References("src/Contracts/Contracts.csproj"));
        Assert.Equal(["Evidence"], References("src/Platform/Platform.csproj"));
    }

    [Fact]
    public void Evidence_needs_neither_the_product_nor_a_package_nor_a_web_server()
    {
        var evidence = Load("src/Evidence/Evidence.csproj");

        Assert.Equal("Microsoft.NET.Sdk", evidence.Root!.Attribute("Sdk")!.Value);
        Assert.DoesNotContain(
            evidence.Descendants(),
            e => e.Name.LocalName.EndsWith("Reference", StringComparison.Ordinal)
        );
        Assert.Equal(["Evidence"], References("src/Verifier/Verifier.csproj"));
    }

    [Fact]
    public void The_assemblies_keep_to_what_the_projects_say()
    {
        // Platform speaks in Evidence's words: a key, a note.
        string[] allowed = ["Verbatim.Platform", "Verbatim.Contracts", "Verbatim.Evidence"];

        var beyond = Product.ModuleAssemblies.SelectMany(assembly =>
            assembly
                .GetReferencedAssemblies()
                .Select(r => r.Name!)
                .Where(r => r.StartsWith("Verbatim.", StringComparison.Ordinal))
                .Except(allowed, StringComparer.Ordinal)
                .Select(r => $"{assembly.GetName().Name} references {r}.")
        );

        Findings.AssertNone(beyond);
    }

    [Fact]
    public void Each_module_is_one_class_with_a_name_of_its_own()
    {
        foreach (var assembly in Product.ModuleAssemblies)
            Assert.Single(assembly.GetTypes(), t => t.IsClass && t.IsAssignableTo(typeof(IModule)));
        var names = Product.Modules.Select(m => m.Name).ToList();
        Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        Assert.All(names, name => Assert.Matches(ModuleName(), name));
    }

    [Fact]
    public void Host_names_each_module_once()
    {
        var program = Product.Sources.Single(f => f.Path == "src/Host/Program.cs");

        var named = NewModule().Matches(program.Code).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal);

        Assert.Equal(
            Projects("src/Modules").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal),
            named
        );
    }

    [Fact]
    public void Packages_have_their_versions_in_one_place()
    {
        var own = Projects("src")
            .Concat(Projects("tests"))
            .Where(p => Load(p).Descendants("PackageReference").Any(r => r.Attribute("Version") is not null));

        Findings.AssertNone(own);
    }

    private static IEnumerable<string> Projects(string folder) =>
        Directory
            .EnumerateFiles(Path.Combine(Product.Root, folder), "*.csproj", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> References(string project) =>
        Load(project)
            .Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));

    private static XDocument Load(string project) => XDocument.Load(Path.Combine(Product.Root, project));

    [GeneratedRegex(@"new (?<name>\w+)Module\(\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NewModule();

    [GeneratedRegex("^[a-z]+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ModuleName();
}
