using System.Security.Cryptography;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>The keys that sign tokens: kept in the database under the master key, so that all instances share them.</summary>
internal sealed class SigningKeys(
    Database database,
    MasterKey masterKey,
    FirstOrganization organization,
    DocumentStore store,
    TimeProvider time
) : IStartupStep
{
    private KeySchedule? _schedule;
    private KeySchedule.Moment? _moment;

    // After the first organization was made, with which the keys are recorded.
    public int Order => 10;

    /// <summary>The key that signs.</summary>
    public SigningKey Current => Now().Current;

    /// <summary>The keys that verify. The same object until the keys change.</summary>
    public JsonWebKeySet Public => Now().Public;

    /// <summary>Makes the first key of a new installation, and loads what there is.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var context = new AppendContext(
            await organization.GetIdAsync(cancellationToken),
            "system:signing-keys",
            Correlation: ""
        );
        // Keys of a version that did not record them.
        var known = await ReadTimesAsync(cancellationToken);
        var first = SigningKey.Generate();
        var now = time.GetUtcNow();
        // Of two instances that start together one makes the key, and the other finds it.
        await store.DecideAsync<SigningKeyRing>(
            context,
            SigningKeyRing.Id,
            ring =>
                ring is not null ? Decision.Nothing
                : known.Count > 0 ? Decision.Append([.. known])
                : Decision
                    .Append(new SigningKeyPublished(first.KeyId, now, now))
                    .AlsoWriting(Store(first, now, signsFrom: now)),
            cancellationToken
        );
        await ReloadAsync(cancellationToken);
    }

    /// <summary>Reads the keys again, after others have changed them.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select kid, sealed_key, signs_from from identity.signing_keys"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var slots = new List<KeySchedule.Slot>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = Open(reader.GetString(0), reader.GetFieldValue<byte[]>(1));
            slots.Add(new KeySchedule.Slot(key, reader.GetFieldValue<DateTimeOffset>(2)));
        }
        if (slots.Count == 0)
            throw new InvalidOperationException("There is no signing key in the database.");
        var schedule = new KeySchedule(slots);
        Volatile.Write(ref _moment, schedule.At(time.GetUtcNow()));
        Volatile.Write(ref _schedule, schedule);
    }

    /// <summary>The statement that stores a key, for the transaction of the event that says so.</summary>
    public SqlWrite Store(SigningKey key, DateTimeOffset publishedAt, DateTimeOffset signsFrom)
    {
        var jwk = key.ExportPrivateJwk();
        try
        {
            return new SqlWrite(
                "insert into identity.signing_keys (kid, sealed_key, created_at, signs_from) values ($1, $2, $3, $4)",
                key.KeyId,
                masterKey.Seal(jwk, PurposeOf(key.KeyId)),
                publishedAt.UtcDateTime,
                signsFrom.UtcDateTime
            );
        }
        finally
        {
            CryptographicOperations.ZeroMemory(jwk);
        }
    }

    /// <summary>The statement that deletes a key, for the transaction of the event that says so.</summary>
    public static SqlWrite Delete(string keyId) => new("delete from identity.signing_keys where kid = $1", keyId);

    public static string PurposeOf(string keyId) => "identity.signing-key:" + keyId;

    private KeySchedule.Moment Now()
    {
        var moment = Volatile.Read(ref _moment);
        var now = time.GetUtcNow();
        if (moment is not null && now < moment.Until)
            return moment;
        var schedule =
            Volatile.Read(ref _schedule) ?? throw new InvalidOperationException("The signing keys are not loaded yet.");
        moment = schedule.At(now);
        Volatile.Write(ref _moment, moment);
        return moment;
    }

    private async Task<List<SigningKeyPublished>> ReadTimesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select kid, created_at, signs_from from identity.signing_keys order by signs_from, kid"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var known = new List<SigningKeyPublished>();
        while (await reader.ReadAsync(cancellationToken))
            known.Add(
                new SigningKeyPublished(
                    reader.GetString(0),
                    reader.GetFieldValue<DateTimeOffset>(1),
                    reader.GetFieldValue<DateTimeOffset>(2)
                )
            );
        return known;
    }

    private SigningKey Open(string keyId, byte[] sealedKey)
    {
        byte[] jwk;
        try
        {
            jwk = masterKey.Open(sealedKey, PurposeOf(keyId));
        }
        catch (CryptographicException e)
        {
            throw new SettingException(
                "The master key (Secrets:MasterKey, Secrets:MasterKeyFile or master.key in VERBATIM_HOME) is not the one that this database was set up with.",
                e
            );
        }
        try
        {
            return SigningKey.TryParse(jwk, out var key, out var failure)
                ? key
                : throw new InvalidOperationException(
                    $"The signing key {keyId} in the database is broken ({failure})."
                );
        }
        finally
        {
            CryptographicOperations.ZeroMemory(jwk);
        }
    }
}
