using System.Text;

namespace Verbatim.Tests.Upstream;

/// <summary>
/// What stands for an id or a time in an answer that is built once and sent often. Random for each process, so that no
/// text of a request can look like one.
/// </summary>
internal static class Placeholder
{
    /// <summary>Shorter ids would be found by chance.</summary>
    private const int ShortestId = 20;

    /// <summary>Stands for a Unix time in seconds; has as many digits.</summary>
    public static readonly long Time = Random.Shared.NextInt64(2_000_000_000, 9_999_999_999);

    private static readonly string Ids = Guid.NewGuid().ToString("N") + Guid.NewGuid().ToString("N");
    private static readonly byte[] IdBytes = Encoding.ASCII.GetBytes(Ids);
    private static readonly byte[] TimeBytes = Encoding.ASCII.GetBytes(
        Time.ToString(System.Globalization.CultureInfo.InvariantCulture)
    );

    /// <summary>Stands for so many characters of an id.</summary>
    public static string Id(int length) =>
        length is >= ShortestId and <= 64
            ? Ids[..length]
            : throw new ArgumentOutOfRangeException(nameof(length), length, "no such length of an id");

    public static Place[] Find(ReadOnlySpan<byte> bytes)
    {
        var places = new List<Place>();
        for (var at = 0; Next(bytes, at, IdBytes.AsSpan(0, ShortestId)) is { } found; )
        {
            var length = bytes[found..].CommonPrefixLength(IdBytes);
            places.Add(new Place(found, length, IsTime: false));
            at = found + length;
        }

        for (var at = 0; Next(bytes, at, TimeBytes) is { } found; at = found + TimeBytes.Length)
            places.Add(new Place(found, TimeBytes.Length, IsTime: true));
        return [.. places];
    }

    private static int? Next(ReadOnlySpan<byte> bytes, int start, ReadOnlySpan<byte> sought)
    {
        var at = bytes[start..].IndexOf(sought);
        return at < 0 ? null : start + at;
    }
}
