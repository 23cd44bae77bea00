namespace Verbatim.Platform.Events;

/// <summary>Chooses events: those to which all that is given applies at once.</summary>
public sealed record EventFilter
{
    /// <summary>The organization; null for all of them, which only whoever runs the server may ask for.</summary>
    public Guid? TenantId { get; init; }

    /// <summary>Stored names of events, of which any will do; empty for all.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>The stored name of the stream's type.</summary>
    public string? StreamType { get; init; }

    /// <summary>The stream. Needs <see cref="TenantId"/>: streams are found behind their organization.</summary>
    public Guid? StreamId { get; init; }

    /// <summary>Recorded then or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Recorded before then.</summary>
    public DateTimeOffset? Before { get; init; }
}
