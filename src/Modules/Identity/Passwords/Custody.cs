using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// Whether an administrator may replace a person's proofs. A password opens all of a person's organizations, so the administrator of one of several
/// could enter the others with it: only who belongs to the one organization is in its hands.
/// </summary>
[Singleton]
internal sealed class Custody(DocumentStore store, PasswordStore passwords, Memberships memberships)
{
    public static readonly HttpError NotFound = new(404, "identity.user-not-found", "There is no such account.");

    public static readonly HttpError Elsewhere = new(
        409,
        "identity.belongs-elsewhere",
        "This person belongs to another organization too, which what they log in with would open: they reset it themselves."
    );

    /// <summary>Why not, or null.</summary>
    public async Task<HttpError?> CheckAsync(Caller caller, Guid userId, CancellationToken cancellationToken)
    {
        if (await store.LoadAsync<User>(caller.Access, userId, cancellationToken) is null)
            return NotFound;
        var mine = await memberships.ListAsync(userId, cancellationToken);
        if (mine.Any(m => m.TenantId != caller.TenantId))
            return Elsewhere;
        // The home is where changes are recorded, even after the person has left it.
        if (await passwords.FindByIdAsync(userId, cancellationToken) is { } account)
            return account.TenantId == caller.TenantId ? null : Elsewhere;
        return mine.Count > 0 ? null : NotFound;
    }
}
