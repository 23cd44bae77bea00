using System.Text;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>What this server proves itself with at providers.</summary>
internal sealed class SealedProviderSecrets : SealedColumn
{
    public override string Table => "identity.identity_provider_secrets";

    public override IReadOnlyList<string> Key { get; } = ["provider_id"];

    public override string Column => "sealed_secret";

    public override string PurposeOf(IReadOnlyList<object> key) => PurposeOf((Guid)key[0]);

    private static string PurposeOf(Guid providerId) => $"identity.identity-provider:{providerId}";

    /// <summary>The statement that stores or replaces a secret, for the transaction of the event that says so.</summary>
    public static SqlWrite Store(MasterKey masterKey, Guid tenantId, Guid providerId, string secret) =>
        new(
            """
            insert into identity.identity_provider_secrets (provider_id, tenant_id, sealed_secret) values ($1, $2, $3)
            on conflict (provider_id) do update set sealed_secret = excluded.sealed_secret
            """,
            providerId,
            tenantId,
            masterKey.Seal(Encoding.UTF8.GetBytes(secret), PurposeOf(providerId))
        );

    /// <summary>The statement that forgets it.</summary>
    public static SqlWrite Delete(Guid providerId) =>
        new("delete from identity.identity_provider_secrets where provider_id = $1", providerId);

    public static async Task<string?> ReadAsync(
        Database database,
        MasterKey masterKey,
        Guid providerId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            "select sealed_secret from identity.identity_provider_secrets where provider_id = $1"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = providerId });
        return await command.ExecuteScalarAsync(cancellationToken) is byte[] secret
            ? Encoding.UTF8.GetString(masterKey.Open(secret, PurposeOf(providerId)))
            : null;
    }
}
