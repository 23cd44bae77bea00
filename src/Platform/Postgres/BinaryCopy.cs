using System.Buffers.Binary;
using System.Text;

namespace Verbatim.Platform.Postgres;

/// <summary>
/// Rows as <c>copy … from stdin binary</c> takes them (PostgreSQL documentation, COPY, "Binary Format"), put together in one buffer that is used
/// again: a fraction of what one call for each value costs.
/// </summary>
public sealed class BinaryCopy
{
    private const int InitialSize = 64 * 1024;
    private const int KeptSize = 4 * 1024 * 1024;
    private const int FromNotCopied = 256 * 1024;

    // Postgres counts from 2000-01-01.
    private const long PostgresEpoch = 946_684_800_000_000;
    private const int DigitBase = 10_000;
    private const int DigitPlaces = 4;
    private const ushort NegativeSign = 0x4000;

    private static readonly byte[] Trailer = [0xff, 0xff];

    private readonly List<(int Before, ReadOnlyMemory<byte> Value)> _notCopied = [];
    private byte[] _buffer = new byte[InitialSize];
    private int _length;

    // The signature, no flags, no header extension.
    private static ReadOnlySpan<byte> Header =>
        [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Forgets all rows.</summary>
    public void Begin()
    {
        if (_buffer.Length > KeptSize)
            _buffer = new byte[InitialSize];
        _notCopied.Clear();
        Header.CopyTo(_buffer);
        _length = Header.Length;
    }

    /// <summary>Begins a row; so many values must follow.</summary>
    public void AddRow(short columns) => BinaryPrimitives.WriteInt16BigEndian(Take(2), columns);

    /// <summary>Sends all rows.</summary>
    public void WriteTo(Stream copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        foreach (var piece in Pieces())
            copy.Write(piece.Span);
    }

    /// <inheritdoc cref="WriteTo"/>
    public async Task WriteToAsync(Stream copy, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(copy);
        foreach (var piece in Pieces())
            await copy.WriteAsync(piece, cancellationToken);
    }

    /// <summary>A null of any type.</summary>
    public void AddNull() => BinaryPrimitives.WriteInt32BigEndian(Take(4), -1);

    /// <summary>A <c>uuid</c>.</summary>
    public void Add(Guid value) => value.TryWriteBytes(Value(16), bigEndian: true, out _);

    /// <summary>A <c>uuid</c>, or null.</summary>
    public void Add(Guid? value)
    {
        if (value is { } present)
            Add(present);
        else
            AddNull();
    }

    /// <summary>A <c>bigint</c>.</summary>
    public void Add(long value) => BinaryPrimitives.WriteInt64BigEndian(Value(8), value);

    /// <summary>A <c>bigint</c>, or null.</summary>
    public void Add(long? value)
    {
        if (value is { } present)
            Add(present);
        else
            AddNull();
    }

    /// <summary>An <c>int</c>, or null.</summary>
    public void Add(int? value)
    {
        if (value is { } present)
            BinaryPrimitives.WriteInt32BigEndian(Value(4), present);
        else
            AddNull();
    }

    /// <summary>A <c>smallint</c>.</summary>
    public void Add(short value) => BinaryPrimitives.WriteInt16BigEndian(Value(2), value);

    /// <summary>A <c>boolean</c>.</summary>
    public void Add(bool value) => Value(1)[0] = value ? (byte)1 : (byte)0;

    /// <summary>A <c>double precision</c>, or null.</summary>
    public void Add(double? value)
    {
        if (value is { } present)
            BinaryPrimitives.WriteDoubleBigEndian(Value(8), present);
        else
            AddNull();
    }

    /// <summary>A <c>numeric</c>, or null: groups of four digits, the exponent of the first, the sign, the places behind the point.</summary>
    public void Add(decimal? value)
    {
        if (value is not { } present)
        {
            AddNull();
            return;
        }
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(present, bits);
        var places = (bits[3] >> 16) & 0xFF;
        var left = new UInt128((uint)bits[2], ((ulong)(uint)bits[1] << 32) | (uint)bits[0]);
        var groupsBehindPoint = (places + DigitPlaces - 1) / DigitPlaces;
        for (var missing = (groupsBehindPoint * DigitPlaces) - places; missing > 0; missing--)
            left *= 10;

        // The last group comes first; 96 bits and three more digits have ten groups at most.
        Span<ushort> groups = stackalloc ushort[10];
        var count = 0;
        for (; left != 0; left /= DigitBase)
            groups[count++] = (ushort)(left % DigitBase);
        var span = Value(8 + (2 * count));
        BinaryPrimitives.WriteInt16BigEndian(span, (short)count);
        BinaryPrimitives.WriteInt16BigEndian(span[2..], (short)(count == 0 ? 0 : count - groupsBehindPoint - 1));
        BinaryPrimitives.WriteUInt16BigEndian(span[4..], present < 0 ? NegativeSign : (ushort)0);
        BinaryPrimitives.WriteInt16BigEndian(span[6..], (short)places);
        for (var i = 0; i < count; i++)
            BinaryPrimitives.WriteUInt16BigEndian(span[(8 + (2 * i))..], groups[count - 1 - i]);
    }

    /// <summary>A <c>text</c>, or null.</summary>
    public void Add(string? value)
    {
        if (value is null)
        {
            AddNull();
            return;
        }
        // A UTF-16 unit is three bytes of UTF-8 at most.
        Ensure(4 + (3 * value.Length));
        var length = Encoding.UTF8.GetBytes(value, _buffer.AsSpan(_length + 4));
        Value(length);
    }

    /// <summary>A <c>bytea</c>.</summary>
    public void Add(ReadOnlySpan<byte> value) => value.CopyTo(Value(value.Length));

    /// <summary>A <c>bytea</c>. A large one is not copied, so it must stay as it is until the rows are sent.</summary>
    public void Add(ReadOnlyMemory<byte> value)
    {
        if (value.Length < FromNotCopied)
        {
            Add(value.Span);
            return;
        }
        BinaryPrimitives.WriteInt32BigEndian(Take(4), value.Length);
        _notCopied.Add((_length, value));
    }

    /// <summary>A <c>bit(n)</c> of whole bytes; the first bit is the highest of the first byte.</summary>
    public void AddBits(ReadOnlySpan<byte> value)
    {
        var span = Value(4 + value.Length);
        BinaryPrimitives.WriteInt32BigEndian(span, value.Length * 8);
        value.CopyTo(span[4..]);
    }

    /// <summary>A <c>timestamptz</c>.</summary>
    /// <param name="microseconds">Since 1970.</param>
    public void AddTime(long microseconds) => Add(microseconds - PostgresEpoch);

    /// <summary>A <c>timestamptz</c>, or null.</summary>
    public void AddTime(DateTime? utc)
    {
        if (utc is { } present)
            AddTime((present - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        else
            AddNull();
    }

    private IEnumerable<ReadOnlyMemory<byte>> Pieces()
    {
        var at = 0;
        foreach (var (before, value) in _notCopied)
        {
            yield return _buffer.AsMemory(at, before - at);
            yield return value;
            at = before;
        }
        yield return _buffer.AsMemory(at, _length - at);
        yield return Trailer;
    }

    private Span<byte> Value(int length)
    {
        var span = Take(4 + length);
        BinaryPrimitives.WriteInt32BigEndian(span, length);
        return span[4..];
    }

    private Span<byte> Take(int length)
    {
        Ensure(length);
        _length += length;
        return _buffer.AsSpan(_length - length, length);
    }

    private void Ensure(int length)
    {
        if (_buffer.Length - _length < length)
            Array.Resize(ref _buffer, Math.Max(_length + length, _buffer.Length * 2));
    }
}
