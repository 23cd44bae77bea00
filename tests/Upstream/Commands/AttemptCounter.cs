using System.Collections.Concurrent;

namespace Verbatim.Tests.Upstream.Commands;

/// <summary>Counts the requests that carried the same <c>marker</c> command, for <c>times</c> and <c>attempts</c>.</summary>
internal sealed class AttemptCounter
{
    private readonly ConcurrentDictionary<string, int> _seen = new(StringComparer.Ordinal);

    /// <summary>1 for the first request with this marker.</summary>
    public int Next(string marker) => _seen.AddOrUpdate(marker, 1, static (_, seen) => seen + 1);
}
