using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>
/// Remembers, in the address that a person comes back to after the login form, when they were sent there: so that <c>prompt=login</c> asks
/// once and not for ever. Sealed, since otherwise the address would say so for anyone who writes it.
/// </summary>
[Singleton]
internal sealed class LoginFreshness(MasterKey masterKey, TimeProvider time)
{
    public const string Parameter = "login_after";

    private const string Purpose = "identity.login-after";
    private const int MaxLength = 200;

    // Long enough for a second factor that has to be fetched first.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    /// <summary>The value of the parameter: a login from now on will do.</summary>
    public string Write()
    {
        Span<byte> seconds = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(seconds, time.GetUtcNow().ToUnixTimeMilliseconds());
        return Base64Url.EncodeToString(masterKey.Seal(seconds, Purpose));
    }

    /// <summary>Since when a login will do; null when the parameter is none of ours.</summary>
    public DateTimeOffset? Read(string? value)
    {
        if (value is not { Length: > 0 and <= MaxLength } || !Base64Url.IsValid(value))
            return null;
        try
        {
            var opened = masterKey.Open(Base64Url.DecodeFromChars(value), Purpose);
            var sentAt = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(opened));
            return time.GetUtcNow() - sentAt < Lifetime ? sentAt : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
