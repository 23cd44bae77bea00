namespace Verbatim.Tests.Upstream;

/// <summary>
/// Keeps replies that do not depend on the prompt, so that load is answered from memory. A fixed number of them: what
/// comes after is built anew each time.
/// </summary>
internal sealed class CannedReplies
{
    private const int Capacity = 64;

    private readonly Lock _lock = new();
    private readonly Entry?[] _entries = new Entry?[Capacity];

    /// <summary>The reply to a request with the same key; null when there is none yet, or no key.</summary>
    public Reply? Find(ReadOnlySpan<byte> key)
    {
        foreach (var entry in _entries)
        {
            if (entry is null)
                return null;
            if (key.SequenceEqual(entry.Key))
                return entry.Reply;
        }

        return null;
    }

    public void Keep(ReadOnlySpan<byte> key, Reply reply)
    {
        if (key.IsEmpty || reply.Commands.DependsOnTheRequest)
            return;
        lock (_lock)
        {
            var free = Array.IndexOf(_entries, null);
            if (free >= 0 && Find(key) is null)
                Volatile.Write(ref _entries[free], new Entry(key.ToArray(), reply));
        }
    }

    private sealed record Entry(byte[] Key, Reply Reply);
}

/// <summary>
/// All of a request that its answer depends on, written one after another. Requests where that is more than the buffer
/// takes have no key.
/// </summary>
internal ref struct CannedKey(Span<byte> buffer)
{
    /// <summary>A buffer of so many bytes is enough for what load consists of.</summary>
    public const int Size = 512;

    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>Empty when it was too long.</summary>
    public readonly ReadOnlySpan<byte> Bytes => _length < 0 ? [] : _buffer[.._length];

    public void Add(scoped ReadOnlySpan<byte> part)
    {
        // A separator that no JSON contains keeps two parts from being read as one.
        if (_length < 0 || _length + part.Length + 1 > _buffer.Length)
        {
            _length = -1;
            return;
        }

        part.CopyTo(_buffer[_length..]);
        _length += part.Length;
        _buffer[_length++] = 0;
    }

    public void Add(byte option) => Add([option]);

    public void Add(bool option) => Add(option ? (byte)1 : (byte)2);
}
