using System.Security.Cryptography;
using System.Text;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>What this server proves itself with at providers of models.</summary>
internal sealed class SealedProviderCredentials : SealedColumn
{
    // Of a credential as short as this, four characters would be too much of it.
    private const int ShortestWithHint = 16;

    public override string Table => "gateway.provider_credentials";

    public override IReadOnlyList<string> Key { get; } = ["provider_id"];

    public override string Column => "sealed_credential";

    public override string PurposeOf(IReadOnlyList<object> key) => PurposeOf((Guid)key[0]);

    private static string PurposeOf(Guid providerId) => $"gateway.provider:{providerId}";

    /// <summary>What people tell a credential by.</summary>
    public static string? HintOf(string credential) => credential.Length < ShortestWithHint ? null : credential[^4..];

    /// <summary>The statement that stores or replaces a credential, for the transaction of the event that says so.</summary>
    public static SqlWrite Store(MasterKey masterKey, Guid tenantId, Guid providerId, string credential) =>
        new(
            """
            insert into gateway.provider_credentials (provider_id, tenant_id, sealed_credential) values ($1, $2, $3)
            on conflict (provider_id) do update set sealed_credential = excluded.sealed_credential
            """,
            providerId,
            tenantId,
            masterKey.Seal(Encoding.UTF8.GetBytes(credential), PurposeOf(providerId))
        );

    /// <summary>The statement that forgets it.</summary>
    public static SqlWrite Delete(Guid providerId) =>
        new("delete from gateway.provider_credentials where provider_id = $1", providerId);

    /// <summary>The credential of one provider.</summary>
    /// <exception cref="CryptographicException">The master key that sealed it is not there.</exception>
    public static async Task<string?> ReadAsync(
        Database database,
        MasterKey masterKey,
        Guid providerId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            "select sealed_credential from gateway.provider_credentials where provider_id = $1"
        );
        command.Parameters.Add(new Npgsql.NpgsqlParameter<Guid> { TypedValue = providerId });
        return await command.ExecuteScalarAsync(cancellationToken) is byte[] sealedCredential
            ? Open(masterKey, providerId, sealedCredential)
            : null;
    }

    /// <summary>All of them, still sealed.</summary>
    public static async Task<Dictionary<Guid, byte[]>> ReadAllAsync(
        Database database,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            "select provider_id, sealed_credential from gateway.provider_credentials"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var credentials = new Dictionary<Guid, byte[]>();
        while (await reader.ReadAsync(cancellationToken))
            credentials.Add(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1));
        return credentials;
    }

    /// <exception cref="CryptographicException">The master key that sealed it is not there.</exception>
    public static string Open(MasterKey masterKey, Guid providerId, byte[] sealedCredential) =>
        Encoding.UTF8.GetString(masterKey.Open(sealedCredential, PurposeOf(providerId)));
}
