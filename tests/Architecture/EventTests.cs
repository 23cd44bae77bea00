using System.Reflection;
using System.Text.RegularExpressions;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Messaging.Jobs;

namespace Verbatim.Tests.Architecture;

public sealed partial class EventTests
{
    private static readonly EventCatalog Catalog = new([.. Product.ModuleAssemblies, typeof(Scopes).Assembly]);

    [Fact]
    public void An_event_bears_the_name_of_its_module()
    {
        var names = Product.Modules.Select(m => m.Name).ToHashSet(StringComparer.Ordinal);

        var strangers = Catalog
            .Shapes.Where(s => !OwnersOf(s.ClrType, names).Contains(s.Name.Split('.')[0]))
            .Select(s =>
                $"{s.ClrType} is stored as '{s.Name}'; its module is {string.Join(" or ", OwnersOf(s.ClrType, names))}."
            );

        Assert.NotEmpty(Catalog.Shapes);
        Findings.AssertNone(strangers);
    }

    [Fact]
    public void An_event_is_called_by_a_noun_and_what_happened_to_it()
    {
        var others = Catalog
            .Shapes.Where(s => !StoredName().IsMatch(s.Name))
            .Select(s => $"{s.ClrType} is stored as '{s.Name}'; valid is module.noun-past-verb.");

        Findings.AssertNone(others);
    }

    [Fact]
    public void An_event_is_a_sealed_record_in_the_past_tense()
    {
        var others = Catalog
            .Shapes.Select(s => s.ClrType)
            .Where(t => !t.IsSealed || !Product.IsRecord(t) || t.Name.EndsWith("Event", StringComparison.Ordinal))
            .Select(t => $"{t} must be a sealed record, without the suffix Event.");

        Findings.AssertNone(others);
    }

    [Fact]
    public void A_subscription_bears_the_name_of_its_module()
    {
        var strangers = Product
            .ModuleAssemblies.SelectMany(a => a.GetTypes())
            .Where(t => t.IsDefined(typeof(SubscriptionAttribute)))
            .Select(t => (Type: t, t.GetCustomAttribute<SubscriptionAttribute>()!.Name))
            .Where(s =>
                !s.Name.StartsWith(Product.ModuleOf(s.Type.Assembly).Name + ".", StringComparison.Ordinal)
                // A projection is named after what it shows.
                || (
                    !s.Type.Name.StartsWith("On", StringComparison.Ordinal)
                    && !s.Type.IsDefined(typeof(ProjectionAttribute))
                )
            )
            .Select(s =>
                $"{s.Type} is '{s.Name}': a reaction is OnSomething, stored as its module's name and what it does."
            );

        Findings.AssertNone(strangers);
    }

    [Fact]
    public void A_job_bears_the_name_of_its_module()
    {
        var strangers = Product
            .ModuleAssemblies.SelectMany(a => a.GetTypes())
            .Select(t => (Type: t, t.GetCustomAttribute<JobAttribute>()?.Name))
            .Where(j =>
                j.Name?.StartsWith(Product.ModuleOf(j.Type.Assembly).Name + ".", StringComparison.Ordinal) == false
            )
            .Select(j => $"{j.Type} is '{j.Name}'; a job's name begins with its module's.");

        Findings.AssertNone(strangers);
    }

    [Fact]
    public void Every_document_throws_on_an_event_that_it_does_not_know()
    {
        var shapes = new DocumentCatalog(Product.ModuleAssemblies, Catalog).Shapes;

        Assert.NotEmpty(shapes);
        Assert.All(
            shapes,
            shape => Assert.Throws<UnexpectedEventException>(() => shape.Evolve(null, new FromAnotherWorld()))
        );
    }

    [Fact]
    public void Sql_files_are_numbered_and_named_after_what_they_make()
    {
        var others = Directory
            .EnumerateFiles(Path.Combine(Product.Root, "src"), "*.sql", SearchOption.AllDirectories)
            .Where(f =>
                !f.Contains("/bin/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal)
            )
            .Select(f => Path.GetFileName(f))
            .Where(name => name.Length < 6 || !name[..4].All(char.IsAsciiDigit) || name[4] != '-');

        Findings.AssertNone(others);
    }

    private static HashSet<string> OwnersOf(Type type, HashSet<string> all) =>
        type.Assembly == typeof(Scopes).Assembly ? all : [Product.ModuleOf(type.Assembly).Name];

    [GeneratedRegex(@"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StoredName();

    private sealed record FromAnotherWorld : IEvent;
}
