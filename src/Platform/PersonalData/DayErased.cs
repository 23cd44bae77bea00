using Verbatim.Platform.Events;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// The key of a day was destroyed: what was sealed on it to end with it can never be read again, whoever it is of. The stream is the erasure's own.
/// </summary>
/// <param name="Day">The day, in UTC.</param>
[EventType("platform.day-erased")]
public sealed record DayErased(DateOnly Day) : IEvent;
