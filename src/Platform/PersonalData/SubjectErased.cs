using Verbatim.Platform.Events;

namespace Verbatim.Platform.PersonalData;

/// <summary>A person's key was destroyed: what is sealed with it can never be read again. The stream is the erasure's own.</summary>
/// <param name="SubjectId">The person.</param>
[EventType("platform.subject-erased")]
public sealed record SubjectErased(Guid SubjectId) : IEvent;
