using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>
/// The secret of an API key: <c>vk_</c> and 43 letters and digits (256 bits). With so much chance in it a plain SHA-256 cannot be searched
/// backwards, so no slow hash is needed on the request path.
/// </summary>
internal static class ApiKeySecret
{
    public const string Start = "vk_";
    private const int RandomLength = 43;
    private const int PrefixLength = 8;
    private const int MaxLength = 200;

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New() => Start + RandomNumberGenerator.GetString(Alphabet, RandomLength);

    public static string PrefixOf(string secret) => secret[..PrefixLength];

    public static bool LooksLikeOne(ReadOnlySpan<char> credential) =>
        credential.Length <= MaxLength && credential.StartsWith(Start, StringComparison.Ordinal);

    public static SecretHash HashOf(ReadOnlySpan<char> secret)
    {
        Span<byte> utf8 = stackalloc byte[MaxLength * 3];
        var length = Encoding.UTF8.GetBytes(secret, utf8);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..length], hash);
        return MemoryMarshal.Read<SecretHash>(hash);
    }

    /// <summary>The statement that stores the hash, for the transaction of the event that says a key was made.</summary>
    public static SqlWrite Store(Guid tenantId, Guid apiKeyId, string secret) =>
        new(
            "insert into identity.api_key_secrets (hash, tenant_id, api_key_id) values ($1, $2, $3)",
            HashOf(secret).ToArray(),
            tenantId,
            apiKeyId
        );
}

/// <summary>A SHA-256 as a value, so that it can be the key of a dictionary without an allocation.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct SecretHash(ulong A, ulong B, ulong C, ulong D)
{
    public byte[] ToArray()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        MemoryMarshal.Write(bytes, this);
        return bytes;
    }
}
