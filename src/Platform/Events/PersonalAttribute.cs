namespace Verbatim.Platform.Events;

/// <summary>
/// Marks a property of an event or of a document that says something about a person. Its value is sealed with the person's key before it is
/// hashed and stored, so that destroying the key erases it everywhere: in the log, in rows, in copies and in exports that were made long ago.
/// </summary>
/// <remarks>
/// What is left of an erased value is <see cref="Erased"/> for a text and for <see cref="RawJson"/>, and null for anything else; so a
/// property of another type must be nullable. In an event the person is the one who acts (<see cref="AppendContext.Subject"/>), unless
/// the attribute names another; a document always names one.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PersonalAttribute : Attribute
{
    /// <summary>What is read in place of an erased text.</summary>
    public const string Erased = "[erased]";

    /// <summary>The property of the same record that holds the person's id, a <see cref="Guid"/>.</summary>
    public string? Of { get; init; }

    /// <summary>The person is who the stream is about: its id is theirs.</summary>
    public bool OfStream { get; init; }

    /// <summary>
    /// The value ends with the day on which it is recorded, too: it is sealed under the day's key besides, which retention destroys when its
    /// time is over (<see cref="PersonalData.PersonalDays"/>). Only in events.
    /// </summary>
    public bool ByDay { get; init; }
}
