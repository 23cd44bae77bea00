using System.Security.Cryptography;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.LoginPolicies;

/// <summary>Holds every login that starts to its organization's policy.</summary>
[Singleton]
internal sealed class LoginPolicyGate(DocumentStore store)
{
    private const string PasswordFactor = "pwd";
    private const string SeveralFactors = "mfa";

    /// <summary>What a login may do that lacks a factor: set one up.</summary>
    public static IReadOnlyList<string> ScopesWithoutFactor { get; } = [Scopes.AccountRead, Scopes.AccountWrite];

    /// <summary>The one policy of an organization: by an id that follows from the organization's, so that two cannot be made at once.</summary>
    public static Guid IdOf(Guid tenantId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. "login-policy"u8, .. tenantId.ToByteArray(bigEndian: true)], hash);
        return new Guid(hash[..16], bigEndian: true);
    }

    /// <summary>Whether a login with these proofs lacks the second factor that the organization asks for.</summary>
    /// <param name="tenantId">The organization.</param>
    /// <param name="factors">The proofs, as <c>amr</c> (RFC 8176) names them. Another provider's are its own affair.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<bool> LacksFactorAsync(
        Guid tenantId,
        IReadOnlyList<string> factors,
        CancellationToken cancellationToken
    )
    {
        if (
            !factors.Contains(PasswordFactor, StringComparer.Ordinal)
            || factors.Contains(SeveralFactors, StringComparer.Ordinal)
        )
            return false;
        var policy = await store.LoadAsync<LoginPolicy>(Access.ToAll(tenantId), IdOf(tenantId), cancellationToken);
        return policy is { Value.SecondFactorRequired: true };
    }
}
