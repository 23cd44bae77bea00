using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Verbatim.Contracts;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

/// <summary>What is stored stays readable: a page that lists every event, and a frozen sample of every shape that was ever written.</summary>
public sealed class EventCatalogueTests
{
    private const string Update =
        "UPDATE_SNAPSHOTS=1 dotnet run --project tests/Unit -- -class '*.EventCatalogueTests'";

    private static readonly EventCatalog Catalog = new([
        .. Assembly
            .Load("Verbatim.Host")
            .GetReferencedAssemblies()
            .Where(name => name.Name!.StartsWith("Verbatim.Modules.", StringComparison.Ordinal))
            .Select(Assembly.Load),
        typeof(EventCatalog).Assembly,
        typeof(Scopes).Assembly,
    ]);

    private static bool IsUpdate => Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") is "1";

    public static TheoryData<string, int> Shapes => [.. Catalog.Shapes.Select(s => (s.Name, s.Version))];

    [Fact]
    public void The_page_of_events_says_what_the_code_says()
    {
        var path = Path.Combine(Root(), "docs", "events.md");
        var written = new EventPage(Catalog).Write();
        if (IsUpdate)
            File.WriteAllText(path, written);

        if (!File.Exists(path) || File.ReadAllText(path) != written)
            Assert.Fail(
                $"The events are not what docs/events.md says. If that is meant, renew it and commit it:\n{Update}"
            );
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_shape_that_was_ever_stored_is_still_read(string name, int version)
    {
        var shape = Catalog.Shapes.Single(s => (s.Name, s.Version) == (name, version));
        var path = PathOf(name, version);
        // Never written again once it is there: it stands for what lies in databases.
        if (!File.Exists(path) && IsUpdate)
            File.WriteAllBytes(path, Write((IEvent)EventSample.Make(shape.ClrType)));
        Assert.True(
            File.Exists(path),
            $"{name} version {version} has no frozen sample. Make one and commit it:\n{Update}"
        );
        var sample = File.ReadAllBytes(path);

        var read = Catalog.Upcast(JsonSerializer.Deserialize(sample, shape.ClrType, Catalog.Json), shape, position: 1);

        Assert.True(Catalog.ShapeOf(read.GetType()).IsNewest);
        if (shape.IsNewest)
            Assert.Equal(Encoding.UTF8.GetString(sample), Encoding.UTF8.GetString(Write(read)));
    }

    // As it is before personal values are sealed; how they are has tests of its own.
    private static byte[] Write(IEvent @event) =>
        JsonSerializer.SerializeToUtf8Bytes(@event, @event.GetType(), Catalog.Json);

    [Fact]
    public void No_sample_is_of_a_shape_that_is_gone()
    {
        var known = Catalog.Shapes.Select(s => Path.GetFileName(PathOf(s.Name, s.Version)));

        // A shape whose events may lie in databases cannot be taken out of the code.
        Assert.Empty(
            Directory.EnumerateFiles(Folder()).Select(f => Path.GetFileName(f)).Except(known, StringComparer.Ordinal)
        );
    }

    [Fact]
    public void A_personal_field_is_marked()
    {
        var page = new EventPage(new EventCatalog([typeof(Noted), typeof(NotedBefore)])).Write();

        Assert.Contains("| `text` | text | *Personal*, of who acts. |", page, StringComparison.Ordinal);
        Assert.Contains("| `marks[].by` | id, may be missing |  |", page, StringComparison.Ordinal);
        Assert.Contains("| `mood` | `calm` or `veryAngry` |  |", page, StringComparison.Ordinal);
        Assert.Contains("Version 1, no longer written.", page, StringComparison.Ordinal);
    }

    private static string PathOf(string name, int version) =>
        Path.Combine(Folder(), FormattableString.Invariant($"{name}.v{version}.json"));

    private static string Folder() => Path.Combine(Root(), "tests", "Unit", "Events", "Samples");

    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", ".."));

    [EventType("test.text-noted", Version = 2)]
    private sealed record Noted([property: Personal] string Text, IReadOnlyList<Mark> Marks, Mood Mood) : IEvent;

    [EventType("test.text-noted")]
    private sealed record NotedBefore(string Text) : IUpcast<Noted>
    {
        public Noted Upcast() => new(Text, [], Mood.Calm);
    }

    private sealed record Mark(Guid? By);

    private enum Mood
    {
        Calm,
        VeryAngry,
    }
}
