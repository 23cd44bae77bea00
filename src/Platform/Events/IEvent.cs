namespace Verbatim.Platform.Events;

/// <summary>
/// Something that happened, in the past tense. Marks a record that is stored in a stream; the record also carries
/// <see cref="EventTypeAttribute"/>, which gives the name that is stored.
/// </summary>
public interface IEvent;

/// <summary>The stored name and version of an event. CLR names never reach the database, so types may be renamed.</summary>
/// <param name="name">
/// <c>module.noun-past-verb</c>, lower case with hyphens, for instance <c>projects.prompt-published</c>.
/// </param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EventTypeAttribute(string name) : Attribute
{
    /// <summary>The stored name.</summary>
    public string Name { get; } = name;

    /// <summary>The version of the shape: 1 at first, one more for each change that old readers would not understand.</summary>
    public int Version { get; init; } = 1;
}

/// <summary>
/// An old shape of an event, kept in its feature's <c>History</c> folder, which knows how to become the next one. A
/// stored event of version 1 passes through every step up to the newest version before any document sees it.
/// </summary>
/// <typeparam name="TNext">The shape of the next version, of the same stored name.</typeparam>
public interface IUpcast<out TNext> : IEvent
    where TNext : IEvent
{
    /// <summary>The same fact in the next shape. Pure and total.</summary>
    TNext Upcast();
}
