using Verbatim.Contracts;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>
/// The organization that the first start made. Its administrators run the installation, and what is nobody's else, as a login with an unknown
/// address, is recorded there.
/// </summary>
[Singleton]
internal sealed class FirstOrganization(Database database) : IInstallation
{
    private Guid? _id;

    /// <summary>Whether this is the one; known from the start on.</summary>
    public bool Is(Guid tenantId) => _id == tenantId;

    /// <inheritdoc/>
    public ValueTask<Guid> GetOrganizationIdAsync(CancellationToken cancellationToken) => GetIdAsync(cancellationToken);

    public async ValueTask<Guid> GetIdAsync(CancellationToken cancellationToken) =>
        await FindAsync(cancellationToken)
        ?? throw new InvalidOperationException("There is no organization: the first start did not finish.");

    // By the log, in which nothing comes before it, and not by the ids: a clock that was set back would make an older one.
    public async ValueTask<Guid?> FindAsync(CancellationToken cancellationToken)
    {
        if (_id is not null)
            return _id;
        await using var command = database.Writes.CreateCommand(
            "select tenant_id from platform.events where type = 'identity.organization-created' order by position limit 1"
        );
        return _id = (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }
}
