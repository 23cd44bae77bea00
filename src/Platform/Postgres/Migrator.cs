using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Postgres;

/// <summary>
/// Brings the schema up to date: the numbered <c>*.sql</c> files of Platform, then the tables of documents, then each module's files. A
/// file runs once, in a transaction of its own; an advisory lock lets one instance at a time do it.
/// </summary>
internal sealed partial class Migrator(
    Database database,
    ModuleCatalog modules,
    DocumentCatalog documents,
    ILogger<Migrator> logger
)
{
    // Any fixed number will do; this one spells "verbatim" on a telephone.
    private const long LockId = 83_722_846;

    private const int OldestMajor = 15;

    private readonly ILogger<Migrator> _logger = logger;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Closed for good at the end, however that comes: the lock ends with it.
        await using var connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
        if (!IsSupported(connection.PostgreSqlVersion))
            throw new SettingException(
                $"ConnectionStrings:Postgres leads to Postgres {connection.PostgreSqlVersion}; valid is {OldestMajor} or later."
            );

        await using (var command = new NpgsqlCommand("select pg_advisory_lock($1)", connection))
        {
            // As long as it takes another instance.
            command.CommandTimeout = 0;
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockId });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        await ExecuteAsync(
            connection,
            """
            create schema if not exists platform;
            create table if not exists platform.migrations (
                name text primary key,
                sha256 text not null,
                applied_at timestamptz not null default now()
            )
            """,
            cancellationToken
        );
        _seen.Clear();
        var applied = await ReadAppliedAsync(connection, cancellationToken);
        foreach (var assembly in modules.Assemblies)
        {
            foreach (var name in SqlFilesOf(assembly))
                await ApplyAsync(connection, assembly, name, applied, cancellationToken);
            if (assembly == typeof(Migrator).Assembly)
                await DocumentTables.CreateAsync(connection, documents, cancellationToken);
        }
    }

    internal static bool IsSupported(Version version) => version.Major >= OldestMajor;

    // By the number that begins the file's name, wherever in the module the file lies.
    private static IEnumerable<string> SqlFilesOf(Assembly assembly) =>
        assembly
            .GetManifestResourceNames()
            .Where(n => n.EndsWith(".sql", StringComparison.Ordinal))
            .OrderBy(FileNameOf, StringComparer.Ordinal);

    private static string FileNameOf(string resource) => Path.GetFileName(resource.Replace('\\', '/'));

    private async Task ApplyAsync(
        NpgsqlConnection connection,
        Assembly assembly,
        string resource,
        Dictionary<string, string> applied,
        CancellationToken cancellationToken
    )
    {
        await using var stream = assembly.GetManifestResourceStream(resource)!;
        using var text = new StreamReader(stream);
        var sql = await text.ReadToEndAsync(cancellationToken);
        // Without the folder: a feature may be moved within its module.
        var name = $"{assembly.GetName().Name}/{FileNameOf(resource)}";
        var hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(sql)));
        if (!_seen.Add(name))
            throw new InvalidOperationException($"The name {name} is given to two migrations.");
        if (applied.TryGetValue(name, out var before))
        {
            if (before != hash)
                throw new InvalidOperationException(
                    $"The migration {name} was changed after it had been applied to this database. Add a new file instead."
                );
            return;
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, sql, cancellationToken);
        await using var record = new NpgsqlCommand(
            "insert into platform.migrations (name, sha256) values ($1, $2)",
            connection
        );
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = hash });
        await record.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogApplied(name);
    }

    private static async Task<Dictionary<string, string>> ReadAppliedAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand("select name, sha256 from platform.migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var applied = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            applied.Add(reader.GetString(0), reader.GetString(1));
        return applied;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Debug, "Applied the migration {Name}")]
    private partial void LogApplied(string name);
}
