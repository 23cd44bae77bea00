using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.OAuth.Consents;

/// <summary>What people have agreed to: at most one consent that holds for a person and an application.</summary>
[Singleton]
internal sealed class ConsentRecords(Database database, DocumentStore documents, IdSource ids, TimeProvider time)
{
    /// <summary>The consent that holds, or null.</summary>
    public async Task<Identified<Consent>?> FindAsync(
        Guid tenantId,
        Guid userId,
        Guid clientId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select id from documents.consent
            where tenant_id = $1 and data ->> 'userId' = $2::text and data ->> 'clientId' = $3::text
              and data ->> 'withdrawnAt' is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = clientId });
        if (await command.ExecuteScalarAsync(cancellationToken) is not Guid id)
            return null;
        var consent = await documents.LoadAsync<Consent>(Access.ToOwn(tenantId, userId), id, cancellationToken);
        return consent is null ? null : new Identified<Consent>(id, consent.Value, consent.Version);
    }

    /// <summary>Records that a person has agreed.</summary>
    public async Task GiveAsync(
        AppendContext context,
        Guid userId,
        Guid clientId,
        IReadOnlyList<string> scopes,
        CancellationToken cancellationToken
    )
    {
        var existing = await FindAsync(context.TenantId, userId, clientId, cancellationToken);
        try
        {
            await documents.DecideAsync<Consent>(
                context,
                existing?.Id ?? ids.New(),
                consent => Decide(consent, userId, clientId, scopes, time.GetUtcNow()),
                cancellationToken
            );
        }
        catch (PostgresException e) when (existing is null && e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The person has agreed in another window since we looked.
            await GiveAsync(context, userId, clientId, scopes, cancellationToken);
        }
    }

    internal static Decision Decide(
        Consent? consent,
        Guid userId,
        Guid clientId,
        IReadOnlyList<string> scopes,
        DateTimeOffset now
    )
    {
        if (consent is null)
            return Decision.Append(new ConsentGiven(userId, clientId, scopes, now));
        if (consent.WithdrawnAt is not null || consent.Covers(scopes))
            return Decision.Nothing;
        return Decision.Append(new ConsentExtended([.. consent.Scopes.Union(scopes, StringComparer.Ordinal)], now));
    }
}
