using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Secrets;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Secrets;

public sealed class RotateMasterKeyTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_key_takes_over_under_a_running_server_and_the_old_one_opens_nothing_afterwards()
    {
        using var folder = new TemporaryHome();
        var file = folder.File("keys");
        var oldKey = NewKey();
        await File.WriteAllTextAsync(file, oldKey, Cancellation);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        Guid tenant;
        Guid user;
        byte[] wrapped;
        await using (var host = await VerbatimHost.StartAsync(database, KeyFrom(file)))
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            await CreateAsync(administrator, "before@example.org");
            // More than are sealed anew at once.
            await host
                .Services.GetRequiredService<SubjectKeys>()
                .EnsureAsync(
                    Guid.CreateVersion7(),
                    [.. Enumerable.Range(0, 2500).Select(_ => Guid.NewGuid())],
                    Cancellation
                );
            (tenant, user, wrapped) = await ReadAWrappedKeyAsync(database);

            Assert.Equal(0, (await RotateAsync(host)).ExitCode);
            Assert.Equal(2, (await File.ReadAllLinesAsync(file, Cancellation)).Length);
            await CreateAsync(administrator, "between@example.org");
            Assert.Equal(0, (await RotateAsync(host, "--finish")).ExitCode);
            await CreateAsync(administrator, "after@example.org");
            await ReadsAsync(administrator);
            Assert.Equal(
                (1, "There is one master key only, so there is none to take away.\n"),
                await RotateAsync(host, "--finish")
            );
        }

        var newKey = (await File.ReadAllTextAsync(file, Cancellation)).Trim();
        Assert.NotEqual(oldKey, newKey);
        await using (var host = await VerbatimHost.StartAsync(database, KeyFrom(file)))
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            await ReadsAsync(administrator);
        }
        await using (var source = NpgsqlDataSource.Create(database))
        await using (
            var old = source.CreateCommand(
                "select count(*) from platform.subject_keys where substr(sealed_key, 1, 4) <> $1"
            )
        )
        {
            old.Parameters.Add(
                new NpgsqlParameter<byte[]>
                {
                    TypedValue = MasterKey.Of(Convert.FromBase64String(newKey)).CurrentId.ToArray(),
                }
            );
            Assert.Equal(0L, await old.ExecuteScalarAsync(Cancellation));
        }
        // What a copy of the database from before has is worth nothing without the old key.
        var purpose = SubjectKeys.PurposeOf(tenant, user);
        Assert.Equal(32, MasterKey.Of(Convert.FromBase64String(oldKey)).Open(wrapped, purpose).Length);
        Assert.Throws<CryptographicException>(() =>
            MasterKey.Of(Convert.FromBase64String(newKey)).Open(wrapped, purpose)
        );
        var (_, _, rewrapped) = await ReadAWrappedKeyAsync(database);
        Assert.Throws<CryptographicException>(() =>
            MasterKey.Of(Convert.FromBase64String(oldKey)).Open(rewrapped, purpose)
        );

        async Task ReadsAsync(HttpClient administrator)
        {
            var users = await administrator.GetFromJsonAsync<JsonNode>("/api/users", Cancellation);
            Assert.Equal(
                ["after@example.org", "between@example.org", "before@example.org", VerbatimHost.AdministratorEmail],
                users!["data"]!.AsArray().Select(u => u!["email"]!.GetValue<string>())
            );
        }
    }

    [Fact]
    public async Task A_key_from_the_settings_is_rotated_by_giving_both()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var (oldKey, newKey) = (NewKey(), NewKey());
        await using (var host = await VerbatimHost.StartAsync(database, Keys(oldKey)))
        {
            var (exitCode, said) = await RotateAsync(host);
            Assert.Equal(1, exitCode);
            Assert.Contains("Put the new key before the old one there", said, StringComparison.Ordinal);
        }
        await using (var host = await VerbatimHost.StartAsync(database, Keys($"{newKey} {oldKey}")))
        {
            Assert.Equal(0, (await RotateAsync(host)).ExitCode);
            Assert.Equal(0, (await RotateAsync(host, "--finish")).ExitCode);
            await Assert.ThrowsAsync<CommandUsageException>(() => RotateAsync(host, "--now"));
        }
        await using (var host = await VerbatimHost.StartAsync(database, Keys(newKey)))
        {
            using var administrator = await host.AsAdministratorAsync(Cancellation);
            Assert.Contains(
                VerbatimHost.AdministratorEmail,
                await administrator.GetStringAsync("/api/users", Cancellation),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task A_key_file_that_is_gone_or_broken_while_the_server_runs_is_no_reason_to_forget_the_key()
    {
        using var folder = new TemporaryHome();
        var file = folder.File("keys");
        await File.WriteAllTextAsync(file, NewKey(), Cancellation);
        var settings = new ConfigurationBuilder().AddInMemoryCollection(KeyFrom(file)!).Build();
        var key = MasterKey.Load(settings, NullLogger<MasterKey>.Instance);
        var before = key.Seal([1], "a test");

        foreach (var broken in (string?[])["half a k", null])
        {
            if (broken is null)
                File.Delete(file);
            else
                await File.WriteAllTextAsync(file, broken, Cancellation);
            Assert.Equal([1], key.Open(before, "a test"));
            Assert.Equal([2], key.Open(key.Seal([2], "a test"), "a test"));
        }

        // As soon as the file is sound again, what it says counts.
        var next = NewKey();
        await File.WriteAllTextAsync(file, $"{next}\n{NewKey()}", Cancellation);
        var after = key.Seal([3], "a test");
        Assert.Equal([3], MasterKey.Of(Convert.FromBase64String(next)).Open(after, "a test"));
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("AAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= secret")]
    public void What_is_no_key_is_answered_with_a_sentence(string given)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(Keys(given)!).Build();
        var refused = Assert.Throws<SettingException>(() => MasterKey.Load(settings, NullLogger<MasterKey>.Instance));
        Assert.StartsWith("Secrets:MasterKey must be 32 bytes in base64", refused.Message, StringComparison.Ordinal);
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static Dictionary<string, string> Keys(string keys) =>
        new(StringComparer.Ordinal) { ["Secrets:MasterKey"] = keys };

    private static Dictionary<string, string> KeyFrom(string file) =>
        new(StringComparer.Ordinal) { ["Secrets:MasterKey"] = "", ["Secrets:MasterKeyFile"] = file };

    private static async Task CreateAsync(HttpClient administrator, string email)
    {
        using var created = await administrator.PostAsJsonAsync(
            "/api/users",
            new { email, role = "user" },
            Cancellation
        );
        created.EnsureSuccessStatusCode();
    }

    private static async Task<(int ExitCode, string Output)> RotateAsync(VerbatimHost host, params string[] arguments)
    {
        var command = host.CommandNamed("rotate-master-key");
        await using var output = new StringWriter { NewLine = "\n" };
        return (await command.RunAsync(arguments, output, Cancellation), output.ToString());
    }

    private static async Task<(Guid Tenant, Guid Subject, byte[] Sealed)> ReadAWrappedKeyAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            "select tenant_id, subject_id, sealed_key from platform.subject_keys order by tenant_id desc, subject_id limit 1"
        );
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        Assert.True(await reader.ReadAsync(Cancellation));
        return (reader.GetGuid(0), reader.GetGuid(1), reader.GetFieldValue<byte[]>(2));
    }
}
