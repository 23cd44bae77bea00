using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Platform.PersonalData;

/// <summary>A person's key, or what tells that it was destroyed.</summary>
internal sealed class SubjectKey
{
    public const int Size = 32;

    private const int TagSize = 16;
    private const int MaxNameBytes = 512;
    private const int NoncesAtOnce = 64;
    private static readonly int NonceSize = AesGcm.NonceByteSizes.MaxSize;

    [ThreadStatic]
    private static byte[]? nonces;

    [ThreadStatic]
    private static int noncesLeft;

    private readonly byte[]? _key;

    private SubjectKey(byte[]? key) => _key = key;

    /// <summary>Stands in for a key that is gone.</summary>
    public static SubjectKey Erased { get; } = new(null);

    public bool IsErased => _key is null;

    public static SubjectKey Of(byte[] key) =>
        key.Length == Size ? new SubjectKey(key) : throw new CryptographicException("A person's key has 32 bytes.");

    /// <summary>The size of what sealing makes of so many bytes.</summary>
    public static int SealedSize(int length) => NonceSize + length + TagSize;

    /// <summary>Seals a value for one place (AES-256-GCM): nonce, ciphertext and tag, in this order.</summary>
    /// <param name="value">What is hidden.</param>
    /// <param name="place">Where it stands. Elsewhere it does not open, so that sealed values cannot be swapped.</param>
    /// <param name="day">The key of a day that it ends with; null for none. Both keys are needed to open it then.</param>
    /// <param name="isRepeatable">
    /// The same value at the same place gives the same bytes: then the nonce is made from the value. Needed for rows that are compared
    /// with what a rebuild makes; it tells whoever sees both whether a value has changed.
    /// </param>
    /// <param name="sealedBytes">As long as <see cref="SealedSize"/> says.</param>
    public void Seal(
        ReadOnlySpan<byte> value,
        in SealedPlace place,
        SubjectKey? day,
        bool isRepeatable,
        Span<byte> sealedBytes
    )
    {
        Span<byte> key = stackalloc byte[Size];
        Derive(place, day, key);
        var nonce = sealedBytes[..NonceSize];
        if (isRepeatable)
            MakeNonce(key, value, nonce);
        else
            TakeRandom(nonce);
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(
            nonce,
            value,
            sealedBytes.Slice(NonceSize, value.Length),
            sealedBytes[(NonceSize + value.Length)..]
        );
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Opens what <see cref="Seal"/> made.</summary>
    /// <param name="sealedBytes">The value takes their place.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="day">The key of the day that it was sealed under too; null for none.</param>
    /// <returns>The value, a part of <paramref name="sealedBytes"/>.</returns>
    /// <exception cref="CryptographicException">It was sealed for another place or with another key, or was changed.</exception>
    public Memory<byte> Open(Memory<byte> sealedBytes, in SealedPlace place, SubjectKey? day)
    {
        if (sealedBytes.Length < NonceSize + TagSize)
            throw new CryptographicException("The sealed value is cut short.");
        Span<byte> key = stackalloc byte[Size];
        Derive(place, day, key);
        var value = sealedBytes[NonceSize..^TagSize];
        using var aes = new AesGcm(key, TagSize);
        aes.Decrypt(sealedBytes.Span[..NonceSize], value.Span, sealedBytes.Span[^TagSize..], value.Span);
        CryptographicOperations.ZeroMemory(key);
        return value;
    }

    /// <summary>A keyed hash, HMAC with SHA-256.</summary>
    public byte[] Hash(ReadOnlySpan<byte> value) => HMACSHA256.HashData(_key!, value);

    // A key for each place: random nonces of 96 bits are safe for 2^32 values under one key (NIST SP 800-38D, section 8.3), which a busy
    // program behind one person's credential would reach in weeks.
    private void Derive(in SealedPlace place, SubjectKey? day, Span<byte> key)
    {
        Derive(place, key);
        if (day is null)
            return;
        // The outputs of two pseudo-random functions: whoever lacks one of them knows nothing of their sum.
        Span<byte> other = stackalloc byte[Size];
        day.Derive(place, other);
        for (var i = 0; i < Size; i++)
            key[i] ^= other[i];
        CryptographicOperations.ZeroMemory(other);
    }

    private void Derive(in SealedPlace place, Span<byte> key)
    {
        Span<byte> name = stackalloc byte[MaxNameBytes];
        place.TenantId.TryWriteBytes(name, bigEndian: true, out _);
        place.StreamId.TryWriteBytes(name[16..], bigEndian: true, out _);
        var length = 32 + Encoding.UTF8.GetBytes(place.Record, name[32..]);
        name[length++] = 0;
        length += Encoding.UTF8.GetBytes(place.Property, name[length..]);
        HMACSHA256.HashData(_key!, name[..length], key);
    }

    // Asked for many at once, random bytes cost a tenth.
    private static void TakeRandom(Span<byte> nonce)
    {
        var random = nonces ??= new byte[NoncesAtOnce * NonceSize];
        if (noncesLeft == 0)
        {
            RandomNumberGenerator.Fill(random);
            noncesLeft = NoncesAtOnce;
        }
        noncesLeft--;
        random.AsSpan(noncesLeft * NonceSize, NonceSize).CopyTo(nonce);
    }

    private static void MakeNonce(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Span<byte> nonce)
    {
        // Another use of the key than encryption, so another key.
        Span<byte> nonceKey = stackalloc byte[Size];
        HMACSHA256.HashData(key, "nonce"u8, nonceKey);
        Span<byte> hash = stackalloc byte[Size];
        HMACSHA256.HashData(nonceKey, value, hash);
        hash[..nonce.Length].CopyTo(nonce);
    }
}

/// <summary>Where a sealed value stands.</summary>
/// <param name="TenantId">The organization.</param>
/// <param name="StreamId">The stream, or the document of that stream.</param>
/// <param name="Record">The stored name of the event, or <c>document:</c> and the stream's type.</param>
/// <param name="Property">The name of the property in JSON.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct SealedPlace(Guid TenantId, Guid StreamId, string Record, string Property);
