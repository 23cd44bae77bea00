using Verbatim.Platform.Events;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// What a module removes of a person beside the log and its documents, where destroying the key is enough: credentials, caches, read models.
/// Discovered; runs after the key is gone, and again when it was interrupted.
/// </summary>
public interface IErasureStep
{
    /// <summary>What it removes, in two or three words: <c>passwords</c>.</summary>
    string Name { get; }

    /// <summary>Removes it.</summary>
    /// <param name="context">For what it appends.</param>
    /// <param name="subjectId">The person.</param>
    /// <param name="cancellationToken">Ends it; it will run again.</param>
    /// <returns>How many rows it touched.</returns>
    Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken);
}
