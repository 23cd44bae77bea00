using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Audit.Erasures;

/// <summary>The erasure of a person, and what was touched. Says nothing about the person but their id.</summary>
[StreamType("erasure", Owner = DocumentOwner.Organization)]
internal sealed record Erasure(Guid SubjectId, ErasureStatus Status, IReadOnlyList<ErasedRows> Touched)
    : IDocument<Erasure>
{
    public static Erasure Evolve(Erasure? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, SubjectErased e) => new Erasure(e.SubjectId, ErasureStatus.Running, []),
            ({ Status: ErasureStatus.Running } erasure, ErasureCompleted e) => erasure with
            {
                Status = ErasureStatus.Completed,
                Touched = e.Touched,
            },
            _ => throw new UnexpectedEventException(typeof(Erasure), @event),
        };
}

/// <summary>How far an erasure is.</summary>
public enum ErasureStatus
{
    /// <summary>The key is destroyed, so nothing can be read any more; rows and credentials are being removed.</summary>
    Running,

    /// <summary>All is done.</summary>
    Completed,
}

/// <summary>Documents were rebuilt, and credentials and caches of the person removed.</summary>
[EventType("audit.erasure-completed")]
internal sealed record ErasureCompleted(IReadOnlyList<ErasedRows> Touched) : IEvent;
