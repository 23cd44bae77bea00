using System.Collections.Concurrent;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>
/// Tells whether what this instance has learnt of a credential still holds. A remembered caller rests on streams (the person, the
/// organization, the key or the login); an <see cref="IStandingChange"/> on one of them, by whichever instance, ends it within a second.
/// </summary>
internal sealed class Standings(EventCatalog catalog, FirstOrganization firstOrganization, TimeProvider time)
    : ILogObserver
{
    // What bounds the memory; past it everything is forgotten and learnt again.
    private const int MaxWatches = 300_000;

    private readonly ConcurrentDictionary<Guid, Watch> _watches = new();

    // Grows with every forgetting: what was read before it may be stale and is not remembered.
    private long _generation;

    public IReadOnlyCollection<Type> EventTypes { get; } =
    [
        .. catalog
            .Shapes.Where(s => s.IsNewest && s.ClrType.IsAssignableTo(typeof(IStandingChange)))
            .Select(s => s.ClrType),
        typeof(SubjectErased),
    ];

    /// <summary>To be read before the database is, and given to <see cref="Remember"/>.</summary>
    public long Generation => Interlocked.Read(ref _generation);

    /// <summary>Makes what was read into something to remember.</summary>
    /// <param name="found">What was read.</param>
    /// <param name="generation">As it was before the reading.</param>
    public RememberedCaller Remember(FoundCaller found, long generation)
    {
        if (_watches.Count >= MaxWatches)
            Reset();
        var watches = new Watch[found.RestsOn.Count];
        for (var i = 0; i < watches.Length; i++)
            watches[i] = _watches.GetOrAdd(found.RestsOn[i], static _ => new Watch());
        var caller = found.Caller with { RunsInstallation = firstOrganization.Is(found.Caller.TenantId) };
        var remembered = new RememberedCaller(found with { Caller = caller }, time.GetUtcNow(), watches);
        if (generation != Generation)
            remembered.End();
        return remembered;
    }

    /// <summary>Whatever rests on this stream is looked up anew. Called by the instance that changes it: it need not wait for the log.</summary>
    public void Forget(Guid streamId)
    {
        Interlocked.Increment(ref _generation);
        if (_watches.TryRemove(streamId, out var watch))
            watch.End();
    }

    public void Observe(RecordedEvent recorded, IEvent @event) =>
        Forget(@event is SubjectErased erased ? erased.SubjectId : recorded.StreamId);

    public void Reset()
    {
        Interlocked.Increment(ref _generation);
        foreach (var (id, _) in _watches)
        {
            if (_watches.TryRemove(id, out var watch))
                watch.End();
        }
    }
}

/// <summary>Is over once something about one stream has changed.</summary>
internal sealed class Watch
{
    private volatile bool _isOver;

    public bool IsOver => _isOver;

    public void End() => _isOver = true;
}
