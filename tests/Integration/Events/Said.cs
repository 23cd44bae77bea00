using Verbatim.Platform.Events;

namespace Verbatim.Tests.Integration.Events;

/// <summary>Personal values of every kind, of several people.</summary>
[EventType("test.said")]
internal sealed record Said(
    Guid AuthorId,
    string Public,
    [property: Personal] string Text,
    [property: Personal(Of = nameof(Said.AuthorId))] string Quote,
    [property: Personal(OfStream = true)] string About,
    [property: Personal] int? Number,
    [property: Personal] RawJson? Body,
    IReadOnlyList<Line> Lines
) : IEvent;

internal sealed record Line(Guid SingerId, [property: Personal(Of = nameof(Line.SingerId))] string Text, string Song);

[EventType("test.whispered")]
internal sealed record Whispered([property: Personal] string Text, [property: Personal] string? Echo) : IEvent;

/// <summary>One value that ends with its day, and one that does not.</summary>
[EventType("test.diary-kept")]
internal sealed record DiaryKept(
    [property: Personal] string Author,
    [property: Personal(ByDay = true)] string Text,
    [property: Personal(ByDay = true)] RawJson? Body
) : IEvent;

/// <summary>A document that keeps what somebody wrote.</summary>
[StreamType("test-diary", Owner = DocumentOwner.Organization)]
internal sealed record Diary(
    Guid AuthorId,
    int Entries,
    [property: Personal(Of = nameof(Diary.AuthorId))] string LastWords
) : IDocument<Diary>
{
    public static Diary Evolve(Diary? current, IEvent @event) =>
        (current, @event) switch
        {
            (_, Written e) => new Diary(e.AuthorId, (current?.Entries ?? 0) + 1, e.Text),
            _ => throw new UnexpectedEventException(typeof(Diary), @event),
        };
}

[EventType("test.written")]
internal sealed record Written(Guid AuthorId, [property: Personal(Of = nameof(Written.AuthorId))] string Text) : IEvent;
