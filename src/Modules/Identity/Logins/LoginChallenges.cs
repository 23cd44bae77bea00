using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>A login that is halfway: what was proved, and what is still to be asked.</summary>
/// <param name="UserId">The person whose password was right.</param>
/// <param name="Factors">The proofs so far, as <c>amr</c> (RFC 8176) names them.</param>
/// <param name="NeedsFactor">A second factor is still missing.</param>
/// <param name="OrganizationId">The organization that was asked for, or null.</param>
/// <param name="ByCookie">The login is to go on by cookie.</param>
/// <param name="EndsAt">When it is worth nothing any more.</param>
internal sealed record LoginChallenge(
    Guid UserId,
    IReadOnlyList<string> Factors,
    bool NeedsFactor,
    Guid? OrganizationId,
    bool ByCookie,
    DateTimeOffset EndsAt
);

[JsonSerializable(typeof(LoginChallenge))]
internal sealed partial class LoginChallengeJson : JsonSerializerContext;

/// <summary>
/// Keeps logins that are halfway with whoever logs in, sealed: nothing is stored for them, and any instance can go on.
/// </summary>
[Singleton]
internal sealed class LoginChallenges(MasterKey masterKey, TimeProvider time)
{
    /// <summary>How long a person may take to look up a code.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const string Purpose = "identity.login-challenge";
    private const int MaxLength = 2000;

    public DateTimeOffset EndOfNew => time.GetUtcNow() + Lifetime;

    public string Seal(LoginChallenge challenge) =>
        Base64Url.EncodeToString(
            masterKey.Seal(
                JsonSerializer.SerializeToUtf8Bytes(challenge, LoginChallengeJson.Default.LoginChallenge),
                Purpose
            )
        );

    /// <summary>The challenge in a text that <see cref="Seal"/> made not long ago; null for anything else.</summary>
    public LoginChallenge? Open(string? text)
    {
        if (text is not { Length: > 0 and <= MaxLength } || !Base64Url.IsValid(text))
            return null;
        try
        {
            var opened = masterKey.Open(Base64Url.DecodeFromChars(text), Purpose);
            var challenge = JsonSerializer.Deserialize(opened, LoginChallengeJson.Default.LoginChallenge);
            return challenge is not null && time.GetUtcNow() < challenge.EndsAt ? challenge : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
