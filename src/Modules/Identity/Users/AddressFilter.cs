using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>Finds the members of an organization by an address, which the database has only as a keyed hash.</summary>
[Singleton]
internal sealed class AddressFilter(PasswordStore passwords)
{
    /// <summary>Lets only members through who log in with this address, be it with a password or at an identity provider.</summary>
    public async Task<DocumentFilter> AddAsync(
        DocumentFilter filter,
        Guid tenantId,
        string email,
        CancellationToken cancellationToken
    )
    {
        var hash = await passwords.HashEmailAsync(email, cancellationToken);
        return filter.Where(
            $"""
            id in (
                select user_id from identity.passwords where email_hash = {hash}
                union all
                select user_id from identity.external_identities where tenant_id = {tenantId} and email_hash = {hash}
            )
            """
        );
    }
}
