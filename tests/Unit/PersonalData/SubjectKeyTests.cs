using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Tests.Unit.PersonalData;

public sealed class SubjectKeyTests
{
    private static readonly SubjectKey Key = SubjectKey.Of([
        .. Enumerable.Range(0, SubjectKey.Size).Select(i => (byte)i),
    ]);

    private static readonly SubjectKey Day = SubjectKey.Of([
        .. Enumerable.Range(0, SubjectKey.Size).Select(i => (byte)(100 + i)),
    ]);

    private static readonly SealedPlace Place = new(
        Guid.Parse("0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"),
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        "test.happened",
        "text"
    );

    [Fact]
    public void What_was_sealed_opens_to_the_same() =>
        Check.QuickThrowOnFailure(
            Prop.ForAll<byte[], bool>(
                (value, isRepeatable) => Key.Open(Seal(value, isRepeatable), Place, day: null).Span.SequenceEqual(value)
            )
        );

    [Fact]
    public void A_changed_byte_does_not_open() =>
        Check.QuickThrowOnFailure(
            Prop.ForAll<byte[], int, byte>(
                (value, at, by) =>
                {
                    var sealedBytes = Seal(value);
                    sealedBytes[(int)((uint)at % sealedBytes.Length)] ^= (byte)(by | 1);
                    Assert.ThrowsAny<CryptographicException>(() => Key.Open(sealedBytes, Place, day: null));
                }
            )
        );

    [Fact]
    public void It_opens_in_its_own_place_only()
    {
        var sealedBytes = Seal([1, 2, 3]);
        SealedPlace[] elsewhere =
        [
            Place with
            {
                TenantId = Place.StreamId,
            },
            Place with
            {
                StreamId = Place.TenantId,
            },
            Place with
            {
                Record = "test.happene",
                Property = "dtext",
            },
            Place with
            {
                Property = "name",
            },
        ];
        foreach (var place in elsewhere)
            Assert.ThrowsAny<CryptographicException>(() => Key.Open(sealedBytes.ToArray(), place, day: null));
        var another = SubjectKey.Of(new byte[SubjectKey.Size]);
        Assert.ThrowsAny<CryptographicException>(() => another.Open(sealedBytes.ToArray(), Place, day: null));
        Assert.ThrowsAny<CryptographicException>(() => Key.Open(sealedBytes.AsMemory(0, 20), Place, day: null));
        Assert.Equal([1, 2, 3], Key.Open(sealedBytes, Place, day: null).ToArray());
    }

    [Fact]
    public void Only_a_repeatable_seal_is_the_same_twice()
    {
        Assert.Equal(Seal([1], isRepeatable: true), Seal([1], isRepeatable: true));
        Assert.NotEqual(Seal([1], isRepeatable: true), Seal([2], isRepeatable: true));
        Assert.NotEqual(Seal([1]), Seal([1]));
    }

    [Fact]
    public void What_ends_with_a_day_opens_with_both_keys_only()
    {
        var sealedBytes = Seal([1, 2, 3], day: Day);
        var anotherDay = SubjectKey.Of(new byte[SubjectKey.Size]);
        Assert.ThrowsAny<CryptographicException>(() => Key.Open(sealedBytes.ToArray(), Place, day: null));
        Assert.ThrowsAny<CryptographicException>(() => Key.Open(sealedBytes.ToArray(), Place, anotherDay));
        Assert.ThrowsAny<CryptographicException>(() => Day.Open(sealedBytes.ToArray(), Place, day: null));
        Assert.ThrowsAny<CryptographicException>(() => anotherDay.Open(sealedBytes.ToArray(), Place, Day));
        Assert.ThrowsAny<CryptographicException>(() => Key.Open(Seal([1, 2, 3]), Place, Day));
        Assert.Equal([1, 2, 3], Key.Open(sealedBytes, Place, Day).ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_opens_as_the_documentation_says_how(bool endsWithDay)
    {
        var sealedBytes = Seal("a word"u8.ToArray(), day: endsWithDay ? Day : null);
        byte[] name =
        [
            .. Convert.FromHexString("0198c7ee90b47f21b6d85c0e3a9f1d47"),
            .. Convert.FromHexString("0198c7f051aa7c3d8e029b1f4d6a7c35"),
            .. "test.happened\0text"u8,
        ];
        byte[] secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        byte[] secretOfDay = [.. Enumerable.Range(0, 32).Select(i => (byte)(100 + i))];
        var key = HMACSHA256.HashData(secret, name);
        if (endsWithDay)
            key = [.. key.Zip(HMACSHA256.HashData(secretOfDay, name), (a, b) => (byte)(a ^ b))];
        using var aes = new AesGcm(key, 16);
        var value = new byte[sealedBytes.Length - 28];

        aes.Decrypt(sealedBytes.AsSpan(0, 12), sealedBytes.AsSpan(12..^16), sealedBytes.AsSpan(^16..), value);

        Assert.Equal("a word"u8.ToArray(), value);
    }

    private static byte[] Seal(byte[] value, bool isRepeatable = false, SubjectKey? day = null)
    {
        var sealedBytes = new byte[SubjectKey.SealedSize(value.Length)];
        Key.Seal(value, Place, day, isRepeatable, sealedBytes);
        return sealedBytes;
    }
}
