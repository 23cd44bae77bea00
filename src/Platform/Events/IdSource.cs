namespace Verbatim.Platform.Events;

/// <summary>The one source of ids: UUIDv7, so that new rows go to the end of every index and sort by age.</summary>
/// <param name="time">Tells the time that an id begins with.</param>
public sealed class IdSource(TimeProvider time)
{
    /// <summary>A new id.</summary>
    public Guid New() => Guid.CreateVersion7(time.GetUtcNow());
}
