namespace Verbatim.Platform.Events;

/// <summary>
/// The versions of the streams that were written lately, so that an expected version is checked without asking the database. Two
/// generations bound it: what was not written for a whole generation is forgotten.
/// </summary>
internal sealed class StreamHeads(int generationSize = 32_768)
{
    private Dictionary<StreamKey, long> _young = [];
    private Dictionary<StreamKey, long> _old = [];

    public bool TryGet(StreamKey stream, out long version) =>
        _young.TryGetValue(stream, out version) || _old.TryGetValue(stream, out version);

    public void Set(StreamKey stream, long version)
    {
        if (_young.Count >= generationSize)
        {
            (_old, _young) = (_young, _old);
            _young.Clear();
        }
        _young[stream] = version;
    }

    public void Clear()
    {
        _young.Clear();
        _old.Clear();
    }
}
