namespace Verbatim.Platform.Events;

/// <summary>
/// The versions of the streams that were written lately, so that an expected version is checked without asking the database. Two
/// generations bound it: what was not touched for a whole generation is forgotten.
/// </summary>
internal sealed class StreamHeads(int generationSize = 65_536)
{
    private Dictionary<(Guid Tenant, Guid Stream), long> _young = [];
    private Dictionary<(Guid Tenant, Guid Stream), long> _old = [];

    public bool TryGet(Guid tenantId, Guid streamId, out long version) =>
        _young.TryGetValue((tenantId, streamId), out version) || _old.TryGetValue((tenantId, streamId), out version);

    public void Set(Guid tenantId, Guid streamId, long version)
    {
        if (_young.Count >= generationSize)
            (_old, _young) = (_young, []);
        _young[(tenantId, streamId)] = version;
    }

    public void Clear()
    {
        _young.Clear();
        _old.Clear();
    }
}
