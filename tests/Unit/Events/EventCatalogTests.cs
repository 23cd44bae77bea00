using System.Text;
using System.Text.Json;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

public sealed class EventCatalogTests
{
    [Fact]
    public void An_event_is_written_with_its_newest_name_and_version()
    {
        var catalog = new EventCatalog([typeof(Renamed), typeof(RenamedV1), typeof(RenamedV2)]);

        var shape = catalog.ShapeOf(typeof(Renamed));

        Assert.Equal(("test.renamed", 3), (shape.Name, shape.Version));
        Assert.Equal(
            """{"first":"Ada","last":"Lovelace","by":"somebody"}""",
            Encoding.UTF8.GetString(catalog.Write(new Renamed("Ada", "Lovelace", "somebody")))
        );
    }

    // The samples are what these versions once wrote; they never change.
    [Theory]
    [InlineData(1, """{"name":"Ada Lovelace"}""", "nobody")]
    [InlineData(2, """{"first":"Ada","last":"Lovelace"}""", "nobody")]
    [InlineData(3, """{"first":"Ada","last":"Lovelace","by":"somebody"}""", "somebody")]
    public void Every_version_that_was_ever_stored_is_read_as_the_newest(int version, string stored, string by)
    {
        var catalog = new EventCatalog([typeof(Renamed), typeof(RenamedV1), typeof(RenamedV2)]);

        Assert.Equal(
            new Renamed("Ada", "Lovelace", by),
            catalog.Read("test.renamed", version, Encoding.UTF8.GetBytes(stored), position: 1)
        );
    }

    [Fact]
    public void A_field_that_is_not_known_any_more_is_passed_over()
    {
        var catalog = new EventCatalog([typeof(Plain)]);

        Assert.Equal(new Plain("x"), catalog.Read("test.plain", 1, """{"was":1,"text":"x"}"""u8, position: 1));
    }

    [Theory]
    [InlineData("""{"text":1}""")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("""{"text":"x"}{}""")]
    public void Json_that_does_not_fit_is_an_error(string stored)
    {
        var catalog = new EventCatalog([typeof(Plain)]);

        Assert.Throws<JsonException>(() => catalog.Read("test.plain", 1, Encoding.UTF8.GetBytes(stored), position: 7));
    }

    [Theory]
    [InlineData("test.unheard", 1)]
    [InlineData("test.plain", 2)]
    public void An_unknown_name_or_version_is_told_with_its_position(string name, int version)
    {
        var catalog = new EventCatalog([typeof(Plain)]);

        var e = Assert.Throws<UnknownEventException>(() => catalog.Read(name, version, "{}"u8, position: 42));
        Assert.Contains("42", e.Message, StringComparison.Ordinal);
        Assert.Contains($"'{name}' version {version}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_newest_version_can_be_written()
    {
        var catalog = new EventCatalog([typeof(Renamed), typeof(RenamedV1), typeof(RenamedV2)]);

        AssertSays("version 1 of 'test.renamed', an old one", () => catalog.Write(new RenamedV1("Ada")));
        AssertSays("in no module", () => catalog.Write(new Plain("")));
    }

    [Fact]
    public void Mistakes_in_a_declaration_are_told_clearly()
    {
        AssertSays("NoName is an IEvent without [EventType(", () => _ = new EventCatalog([typeof(NoName)]));
        foreach (var type in new[] { typeof(NoDot), typeof(TwoDots), typeof(Upper), typeof(NothingBehindTheDot) })
            AssertSays("valid is module.noun-past-verb", () => _ = new EventCatalog([type]));
        AssertSays("must be 1, 2, 3", () => _ = new EventCatalog([typeof(Renamed), typeof(RenamedV1)]));
        AssertSays("must be 1, 2, 3", () => _ = new EventCatalog([typeof(Plain), typeof(AlsoPlain)]));
        AssertSays("Plain), 1 (", () => _ = new EventCatalog([typeof(Plain), typeof(AlsoPlain)]));
        AssertSays("must be IUpcast<Second>", () => _ = new EventCatalog([typeof(First), typeof(Second)]));
        AssertSays("newest version of 'test.upwards'", () => _ = new EventCatalog([typeof(Upwards), typeof(Plain)]));
        AssertSays("is generic", () => _ = new EventCatalog([typeof(Generic<>)]));
    }

    [Fact]
    public void A_recorded_body_may_be_nested_as_deep_as_any_reader_allows()
    {
        var catalog = new EventCatalog([typeof(Bodied)]);
        var body = Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64));

        var stored = catalog.Write(new Bodied(new RawJson(body)));

        Assert.Equal(body, ((Bodied)catalog.Read("test.bodied", 1, stored, 1)).Body.Utf8.ToArray());
    }

    [Fact]
    public void A_recorded_body_is_kept_to_the_byte()
    {
        var catalog = new EventCatalog([typeof(Bodied)]);
        var body = """{ "b":1.0,  "a" : "\u0041\ud83d", "b":[ ] }"""u8.ToArray();

        var stored = catalog.Write(new Bodied(new RawJson(body)));

        Assert.Equal([.. """{"body":"""u8, .. body, .. "}"u8], stored);
        Assert.Equal(new Bodied(new RawJson(body)), catalog.Read("test.bodied", 1, stored, 1));
        Assert.Equal("""{"body":null}""", Encoding.UTF8.GetString(catalog.Write(new Bodied(default))));
    }

    [Fact]
    public void Mistakes_in_a_document_are_told_clearly()
    {
        var events = new EventCatalog([typeof(Plain)]);

        AssertSays("without [StreamType(", () => _ = new DocumentCatalog([typeof(NoStreamType)], events));
        AssertSays("'Bad_Name'; valid is a noun", () => _ = new DocumentCatalog([typeof(BadStreamType)], events));
        AssertSays(
            "'twice' is declared by",
            () => _ = new DocumentCatalog([typeof(OnceDocument), typeof(TwiceDocument)], events)
        );
    }

    private static void AssertSays(string words, Action action) =>
        Assert.Contains(words, Assert.Throws<InvalidOperationException>(action).Message, StringComparison.Ordinal);

    [EventType("test.plain")]
    private sealed record Plain(string Text) : IEvent;

    [EventType("test.plain")]
    private sealed record AlsoPlain(string Text) : IEvent;

    [EventType("test.bodied")]
    private sealed record Bodied(RawJson Body) : IEvent;

    [EventType("test.renamed", Version = 3)]
    private sealed record Renamed(string First, string Last, string By) : IEvent;

    [EventType("test.renamed", Version = 2)]
    private sealed record RenamedV2(string First, string Last) : IUpcast<Renamed>
    {
        public Renamed Upcast() => new(First, Last, By: "nobody");
    }

    [EventType("test.renamed")]
    private sealed record RenamedV1(string Name) : IUpcast<RenamedV2>
    {
        public RenamedV2 Upcast() => new(Name.Split(' ')[0], Name.Split(' ')[1]);
    }

    private sealed record NoName : IEvent;

    [EventType("plain")]
    private sealed record NoDot : IEvent;

    [EventType("a.b.c")]
    private sealed record TwoDots : IEvent;

    [EventType("Test.Plain")]
    private sealed record Upper : IEvent;

    [EventType("test.")]
    private sealed record NothingBehindTheDot : IEvent;

    [EventType("test.steps")]
    private sealed record First : IEvent;

    [EventType("test.steps", Version = 2)]
    private sealed record Second : IEvent;

    [EventType("test.upwards")]
    private sealed record Upwards : IUpcast<Plain>
    {
        public Plain Upcast() => new("");
    }

    [EventType("test.generic")]
    private sealed record Generic<T> : IEvent;

    private sealed record NoStreamType : IDocument<NoStreamType>
    {
        public static NoStreamType Evolve(NoStreamType? current, IEvent @event) => new();
    }

    [StreamType("Bad_Name", Owner = DocumentOwner.Organization)]
    private sealed record BadStreamType : IDocument<BadStreamType>
    {
        public static BadStreamType Evolve(BadStreamType? current, IEvent @event) => new();
    }

    [StreamType("twice", Owner = DocumentOwner.Organization)]
    private sealed record OnceDocument : IDocument<OnceDocument>
    {
        public static OnceDocument Evolve(OnceDocument? current, IEvent @event) => new();
    }

    [StreamType("twice", Owner = DocumentOwner.Organization)]
    private sealed record TwiceDocument : IDocument<TwiceDocument>
    {
        public static TwiceDocument Evolve(TwiceDocument? current, IEvent @event) => new();
    }
}
