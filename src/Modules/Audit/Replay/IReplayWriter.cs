using Verbatim.Modules.Audit.Changes;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>Where the steps of a replay go.</summary>
internal interface IReplayWriter
{
    /// <summary>Says which stream it is.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="shown">The version up to which it is replayed.</param>
    /// <param name="version">The version that it has.</param>
    /// <param name="hasDocument">Its events add up to a document.</param>
    Task BeginAsync(FoundStream stream, long shown, long version, bool hasDocument);

    Task WriteAsync(FoundStream stream, StateStep step);

    Task EndAsync();
}
