namespace Verbatim.Platform.Modules;

/// <summary>
/// Work that must be done after the schema is in place and before the first request is taken: first-start data, recovery.
/// Discovered, and run in the order of <see cref="Order"/>.
/// </summary>
public interface IStartupStep
{
    /// <summary>Lower runs first; 0 unless it matters.</summary>
    int Order => 0;

    /// <summary>Does the work. Several instances may run it at the same time.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
