using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Architecture;

public sealed class VisibilityTests
{
    [Fact]
    public void A_module_shows_itself_and_its_wire_and_nothing_else()
    {
        var shown = Product
            .ModuleAssemblies.SelectMany(Product.TypesOf)
            .Where(t => t.IsPublic && !t.IsAssignableTo(typeof(IModule)) && !IsWire(t))
            .Select(t => $"{t} is public; make it internal.");

        Findings.AssertNone(shown);
    }

    [Fact]
    public void Events_and_documents_of_a_module_are_its_own_affair()
    {
        var shown = Product
            .ModuleAssemblies.SelectMany(Product.TypesOf)
            .Where(t => t.IsPublic && (t.IsAssignableTo(typeof(IEvent)) || IsDocument(t)))
            .Select(t => $"{t} is public; an event that other modules may see belongs in Contracts.");

        Findings.AssertNone(shown);
    }

    [Fact]
    public void Nothing_in_Host_is_public()
    {
        var shown = Product
            .Assemblies.Single(a => a.GetName().Name == "Verbatim.Host")
            .GetTypes()
            // The framework makes this one public for its own test host.
            .Where(t => t.IsPublic && t.Name != "Program")
            .Select(t => $"{t} is public.");

        Findings.AssertNone(shown);
    }

    // What is read from or written to the wire as JSON: a record, or a choice of words in one.
    private static bool IsWire(Type type) => Product.IsRecord(type) || type.IsEnum;

    private static bool IsDocument(Type type) =>
        type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDocument<>));
}
