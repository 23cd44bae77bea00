using System.Buffers;
using System.Diagnostics;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>
/// Bytes that grow at their end, in an array of the shared pool. Mutable: keep it in a field, never copy it, and dispose of it once.
/// </summary>
internal struct PooledBytes : IDisposable
{
    // So much is copied rather than taken from the pool for good.
    private const int LargestCopied = 64 * 1024;

    private byte[]? _array;
    private bool _isKept;

    /// <summary>How many bytes there are.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes, until the next append.</summary>
    public readonly ReadOnlySpan<byte> Span => _array.AsSpan(0, Length);

    /// <summary>The bytes, until the next append.</summary>
    public readonly ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    /// <summary>Adds bytes at the end.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        var needed = checked(Length + bytes.Length);
        if (needed > (_array?.Length ?? 0))
            Grow(needed);
        bytes.CopyTo(_array.AsSpan(Length));
        Length = needed;
    }

    /// <summary>Keeps only the first bytes.</summary>
    public void Truncate(int length)
    {
        Debug.Assert(length >= 0 && length <= Length, "There are fewer bytes than are to be kept.");
        Length = length;
    }

    /// <summary>Puts other bytes in place of these.</summary>
    public void Set(ReadOnlySpan<byte> bytes)
    {
        Length = 0;
        Append(bytes);
    }

    /// <summary>The bytes, for good. Nothing is to be changed behind this.</summary>
    public ReadOnlyMemory<byte> Keep()
    {
        if (Length <= LargestCopied)
            return Span.ToArray();
        _isKept = true;
        return Memory;
    }

    /// <summary>Gives the array back.</summary>
    public void Dispose()
    {
        if (_array is not null && !_isKept)
            ArrayPool<byte>.Shared.Return(_array);
        _array = null;
        Length = 0;
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(needed, Length * 2L)));
        _array.AsSpan(0, Length).CopyTo(larger);
        if (_array is not null)
            ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
