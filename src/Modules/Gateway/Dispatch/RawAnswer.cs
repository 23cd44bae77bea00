using System.Security.Cryptography;
using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>An answer that is no JSON: sound, an image, a text. It is passed on as it comes, and what identifies it is told at the end.</summary>
/// <param name="length">How many bytes the provider has announced; null when it has not.</param>
internal sealed class RawAnswer(long? length) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _bytes;

    /// <summary>How many bytes the provider has announced.</summary>
    public long? Length => length;

    /// <summary>What identifies what has come so far.</summary>
    public BodyDigest Digest => new(_bytes, Convert.ToHexStringLower(_hash.GetCurrentHash()));

    /// <summary>Whether an answer of this content type is passed on as it comes: anything but JSON, which is looked into for its usage.</summary>
    public static bool Is(string? mediaType) =>
        mediaType is not null
        && !mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && !mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Some of it has come.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        _bytes += bytes.Length;
        _hash.AppendData(bytes);
    }

    public void Dispose() => _hash.Dispose();
}
