namespace Verbatim.Contracts;

/// <summary>What modules may know of the installation as a whole. Answered by Identity.</summary>
public interface IInstallation
{
    /// <summary>
    /// The organization that runs the installation: its administrators decide about what all organizations share, and what configuration sets
    /// belongs to it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The first start did not finish.</exception>
    ValueTask<Guid> GetOrganizationIdAsync(CancellationToken cancellationToken);
}
