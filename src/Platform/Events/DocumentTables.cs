using Npgsql;

namespace Verbatim.Platform.Events;

/// <summary>The tables of documents: one per document type that keeps snapshots, all of one shape.</summary>
internal static class DocumentTables
{
    /// <summary>
    /// Creates the tables that are missing. <c>json</c>, not <c>jsonb</c>: it keeps the exact text, so that a rebuild can be compared
    /// byte by byte, and it accepts every string that JSON has (jsonb refuses U+0000).
    /// </summary>
    public static string CreateSql(DocumentShape document) =>
        $"""
            create table if not exists {document.Table} (
                tenant_id uuid not null,
                id uuid not null,
                version bigint not null,
                position bigint not null,
                data json not null,
                primary key (tenant_id, id)
            )
            """;

    /// <summary>Inserts or replaces rows: <c>$1</c> tenants, <c>$2</c> ids, <c>$3</c> versions, <c>$4</c> positions, <c>$5</c> JSON texts.</summary>
    public static string UpsertSql(string table) =>
        $"""
            insert into {table} (tenant_id, id, version, position, data)
            select t, i, v, p, convert_from(d, 'UTF8')::json
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[]) as s(t, i, v, p, d)
            on conflict (tenant_id, id) do update
                set version = excluded.version, position = excluded.position, data = excluded.data
            """;

    public static async Task CreateAsync(
        NpgsqlConnection connection,
        DocumentCatalog documents,
        CancellationToken cancellationToken
    )
    {
        foreach (var document in documents.Shapes.Where(d => d.Snapshot == SnapshotKind.Inline))
        {
            await using var command = new NpgsqlCommand(CreateSql(document), connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
