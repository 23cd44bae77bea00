using Verbatim.Platform.Events;

namespace Verbatim.Tests.Integration.Events;

/// <summary>Counts, and remembers the last words: a document with a row.</summary>
[StreamType("test-tally", Owner = DocumentOwner.Organization)]
internal sealed record Tally(int Count, string? LastText) : IDocument<Tally>
{
    public static Tally Evolve(Tally? current, IEvent @event) =>
        (current, @event) switch
        {
            (_, Counted e) => new Tally((current?.Count ?? 0) + e.By, e.Text ?? current?.LastText),
            _ => throw new UnexpectedEventException(typeof(Tally), @event),
        };
}

[EventType("test.counted")]
internal sealed record Counted(int By, string? Text = null) : IEvent;

/// <summary>The same without a row.</summary>
[StreamType("test-visit", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record Visit(int Steps) : IDocument<Visit>
{
    public static Visit Evolve(Visit? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, Stepped) => new Visit(1),
            ({ } visit, Stepped) => visit with { Steps = visit.Steps + 1 },
            _ => throw new UnexpectedEventException(typeof(Visit), @event),
        };
}

[EventType("test.stepped")]
internal sealed record Stepped(RawJson? Body = null) : IEvent;

/// <summary>An event of a stream that is no document.</summary>
[EventType("test.noted")]
internal sealed record Noted(string Text, RawJson? Body = null) : IEvent;

/// <summary>A document whose table has a unique index (made by the tests that need it).</summary>
[StreamType("test-account", Owner = DocumentOwner.Organization)]
internal sealed record Account(string Email) : IDocument<Account>
{
    public static Account Evolve(Account? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, AccountOpened e) => new Account(e.Email),
            _ => throw new UnexpectedEventException(typeof(Account), @event),
        };
}

[EventType("test.account-opened")]
internal sealed record AccountOpened(string Email) : IEvent;
