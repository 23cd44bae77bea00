using System.Collections.Concurrent;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>The key of each organization under which the words of its calls are hashed: without it the index tells nothing of what was said.</summary>
[Singleton]
internal sealed class SearchKeys(BlindIndex index)
{
    private readonly ConcurrentDictionary<Guid, SipHash> _known = new();

    public async ValueTask<SipHash> OfAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(tenantId, out var known))
            return known;
        var key = await index.HashAsync("inference-words", tenantId.ToString("N"), cancellationToken);
        return _known.GetOrAdd(tenantId, new SipHash(key));
    }
}
