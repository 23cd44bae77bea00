using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>The organization that the first start made: what is nobody's else, as a login with an unknown address, is recorded there.</summary>
internal sealed class FirstOrganization(Database database)
{
    private Guid? _id;

    public async ValueTask<Guid> GetIdAsync(CancellationToken cancellationToken) =>
        _id ??=
            await FindAsync(cancellationToken)
            ?? throw new InvalidOperationException("There is no organization: the first start did not finish.");

    public async Task<Guid?> FindAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select id from documents.organization order by id limit 1"
        );
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }
}
