using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Evidence;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>
/// What a superuser of the database could do to the tables: each change is made in a transaction, looked at from inside of it by the
/// verifiers, and rolled back. VERBATIM_MUTATIONS says how many.
/// </summary>
public sealed class TamperingTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private const int DefaultMutations = 250;

    // So that there are two tiles of leaves.
    private const int Events = 280;
    private const int CheckpointEvery = 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Database Database => host.Services.GetRequiredService<Database>();

    [Fact]
    public async Task Each_random_change_of_the_tables_is_found()
    {
        await FillAsync(host);
        var (keys, kept) = await ReadEvidenceAsync();
        await using var connection = await Database.Dedicated.OpenConnectionAsync(Cancellation);
        Assert.Null((await CheckAsync(connection, keys, kept)).Problem);
        Assert.Null((await CheckExportAsync(connection, keys, kept)).Problem);

        var count = int.TryParse(
            Environment.GetEnvironmentVariable("VERBATIM_MUTATIONS"),
            CultureInfo.InvariantCulture,
            out var asked
        )
            ? asked
            : DefaultMutations;
        var unnoticed = new List<string>();
        var random = new Random(9162);
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            var mutation = new Mutation(connection, random, i);
            await mutation.RunAsync(Cancellation);
            var report = await CheckAsync(connection, keys, kept);
            if (report.Problem is null)
                unnoticed.Add($"{i}, in the tables: {mutation.What}");
            else if (mutation.Position is { } position && report.Position != position)
                unnoticed.Add($"{i}: {mutation.What} is told as position {report.Position}: {report.Problem}");
            if (mutation.IsInExport && (await CheckExportAsync(connection, keys, kept)).Problem is null)
                unnoticed.Add($"{i}, in an export: {mutation.What}");
            await transaction.RollbackAsync(Cancellation);
        }
        TestContext.Current.SendDiagnosticMessage(
            "{0} changes in {1:0.0} s",
            count,
            Stopwatch.GetElapsedTime(began).TotalSeconds
        );
        Assert.Empty(unnoticed);
    }

    [Fact]
    public async Task The_command_tells_by_its_exit_code_and_needs_what_was_kept_outside_for_a_cut()
    {
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var folder = new TemporaryHome();
        await own.SealAsync(Cancellation);
        using (await own.AsNewAsync("user", Cancellation)) { }
        await own.SealAsync(Cancellation);
        var tree = own.Services.GetRequiredService<TreeReader>();
        var key = (await tree.ReadKeysAsync(Cancellation))[0].Key.ToString();
        var kept = folder.File("kept.txt");
        var newest = await tree.ReadCheckpointsAsync(long.MaxValue, 2, Cancellation);
        await File.WriteAllTextAsync(kept, newest[1].Note + "\n" + newest[0].Note, Cancellation);

        var sound = await RunAsync("--key", key, "--checkpoint", kept);
        var alone = await RunAsync();
        // All that is behind the checkpoint before, and every trace of it.
        await ExecuteAsync(
            own,
            $"""
            delete from platform.events where position > {newest[1].TreeSize};
            delete from platform.checkpoints where tree_size > {newest[1].TreeSize};
            update platform.tree set size = {newest[1].TreeSize};
            update platform.tree_tiles set hashes = substr(hashes, 1, {newest[1].TreeSize * 32})
            """
        );
        var cutAlone = await RunAsync("--key", key);
        var cut = await RunAsync("--key", key, "--checkpoint", kept);
        await ExecuteAsync(own, "update platform.events set actor = 'user:somebody-else' where position = 2");
        var changed = await RunAsync("--key", key);

        Assert.Equal(0, sound.Code);
        Assert.StartsWith($"Proven: the events 1 to {newest[0].TreeSize}", sound.Said, StringComparison.Ordinal);
        Assert.Contains("Give --key", alone.Said, StringComparison.Ordinal);
        Assert.Contains("give --checkpoint", alone.Said, StringComparison.Ordinal);
        Assert.Equal((0, 1), (cutAlone.Code, cut.Code));
        Assert.Contains("its end was cut off", cut.Said, StringComparison.Ordinal);
        Assert.Equal(1, changed.Code);
        Assert.StartsWith("NOT proven. Position 2:", changed.Said, StringComparison.Ordinal);
        foreach (
            var arguments in (string[][])
                [
                    ["--key"],
                    ["--key", "x"],
                    ["--checkpoint", "/no/such/file"],
                    ["--what", "x"],
                ]
        )
            await Assert.ThrowsAsync<CommandUsageException>(() => RunAsync(arguments));

        async Task<(int Code, string Said)> RunAsync(params string[] arguments)
        {
            await using var said = new StringWriter();
            var verify = own.CommandNamed("verify");
            return (await verify.RunAsync(arguments, said, Cancellation), said.ToString());
        }
    }

    private static async Task FillAsync(VerbatimHost own)
    {
        var store = own.Services.GetRequiredService<EventStore>();
        var sealer = own.Services.GetRequiredService<TreeSealer>();
        Guid[] tenants = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        for (var i = 0; i < Events; i += 2)
        {
            await store.AppendAsync(
                new AppendContext(tenants[i % 3], $"user:{tenants[i % 3]}", $"request-{i}"),
                new StreamEvents(
                    "counter",
                    Guid.CreateVersion7(),
                    0,
                    [new InferenceOutcomeLost(Guid.CreateVersion7()), new InferenceOutcomeLost(Guid.CreateVersion7())]
                ),
                Cancellation
            );
            if (i % CheckpointEvery == 0)
                await sealer.SealAsync(Cancellation);
        }
        var tree = own.Services.GetRequiredService<TreeReader>();
        while (await tree.ReadSizeAsync(Cancellation) < await store.ReadHeadAsync(Cancellation))
            await sealer.SealAsync(Cancellation);
    }

    private async Task<(List<NoteKey> Keys, string Kept)> ReadEvidenceAsync()
    {
        var tree = host.Services.GetRequiredService<TreeReader>();
        var keys = await tree.ReadKeysAsync(Cancellation);
        return (
            [.. keys.Select(k => k.Key)],
            (await tree.ReadCheckpointsAsync(long.MaxValue, 1, Cancellation))[0].Note
        );
    }

    private static Task<LogReport> CheckAsync(NpgsqlConnection connection, List<NoteKey> keys, string kept)
    {
        var known = new Dictionary<long, Checkpoint>();
        Assert.Null(KeptNotes.Open([kept], keys, known));
        return new LogCheck(connection, keys, known).RunAsync(Cancellation);
    }

    // What an export of the tables in this transaction would have in it.
    private static async Task<ExportReport> CheckExportAsync(
        NpgsqlConnection connection,
        List<NoteKey> keys,
        string kept
    )
    {
        var output = new ArrayBufferWriter<byte>();
        var notes = new Dictionary<long, string>();
        await using (var command = new NpgsqlCommand("select tree_size, note from platform.checkpoints", connection))
        await using (var reader = await command.ExecuteReaderAsync(Cancellation))
            while (await reader.ReadAsync(Cancellation))
                notes.Add(reader.GetInt64(0), reader.GetString(1));
        ExportLine.WriteBegin(output, keys[0].Name, 0, []);
        var (last, checkpoints) = (0L, 0);
        await using (
            var command = new NpgsqlCommand(
                $"select {LogReader.Columns} from platform.events where position <= (select size from platform.tree) order by position",
                connection
            )
        )
        await using (var reader = await command.ExecuteReaderAsync(Cancellation))
        {
            var names = new LogReader.Names();
            while (await reader.ReadAsync(Cancellation))
            {
                var recorded = LogReader.Read(reader, names);
                ExportLine.WriteEvent(output, recorded.Header, recorded.Data, recorded.LeafHash);
                last = recorded.Position;
                if (notes.TryGetValue(last, out var note))
                {
                    ExportLine.WriteCheckpoint(output, note);
                    checkpoints++;
                }
            }
        }
        ExportLine.WriteEnd(output, last, checkpoints);
        using var stream = new MemoryStream(output.WrittenSpan.ToArray());
        return await new ExportVerifier(keys, [kept]).VerifyAsync(stream, Cancellation);
    }

    private static async Task ExecuteAsync(VerbatimHost own, string sql)
    {
        await using var command = own.Services.GetRequiredService<Database>().Writes.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>One change of the tables.</summary>
    private sealed class Mutation(NpgsqlConnection connection, Random random, int number)
    {
        private static readonly string[] Columns =
        [
            "tenant_id = gen_random_uuid()",
            "stream_id = gen_random_uuid()",
            "stream_type = stream_type || 'x'",
            "version = version + 1000",
            "type = type || 'x'",
            "type_version = type_version + 1",
            "time = time + interval '1 microsecond'",
            "actor = 'user:somebody-else'",
            "correlation = correlation || ' '",
            "data = data || ' '::bytea",
        ];

        public string What { get; private set; } = "";

        /// <summary>An export of the events and checkpoints must show it too; the tree's own tables are in none.</summary>
        public bool IsInExport { get; private set; } = true;

        /// <summary>The position that must be named, where only one can be.</summary>
        public long? Position { get; private set; }

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            var size = (long)(await ScalarAsync("select size from platform.tree", cancellationToken))!;
            var (one, two) = (1 + random.NextInt64(size), 1 + random.NextInt64(size - 1));
            if (two >= one)
                two++;
            switch (number % 16)
            {
                case 0:
                    Position = one;
                    await Do($"a byte of the data of {one}", FlipByte("platform.events", "data", $"position = {one}"));
                    break;
                case 1:
                    Position = one;
                    await Do(
                        $"a byte of the leaf hash of {one}",
                        FlipByte("platform.events", "leaf_hash", $"position = {one}")
                    );
                    break;
                case 2:
                    Position = one;
                    var column = Columns[random.Next(Columns.Length)];
                    await Do($"{column} at {one}", $"update platform.events set {column} where position = {one}");
                    break;
                case 3:
                    Position = one;
                    await Do($"data of {one} and a leaf hash that fits", "");
                    await ForgeAsync(one, cancellationToken);
                    break;
                case 4:
                    Position = one;
                    await Do($"delete {one}", $"delete from platform.events where position = {one}");
                    break;
                case 5:
                    await Do($"delete the events behind {one}", $"delete from platform.events where position >= {one}");
                    break;
                case 6:
                    Position = Math.Min(one, two);
                    await Do($"swap the positions {one} and {two}", Swap("position", one, two));
                    break;
                case 7:
                    await Do(
                        $"swap the data of {one} and {two}",
                        $"""
                        update platform.events e set data = o.data, leaf_hash = o.leaf_hash from platform.events o
                        where (e.position, o.position) in (({one}, {two}), ({two}, {one}))
                        """
                    );
                    break;
                case 8:
                    await Do(
                        $"swap the tenants of the streams of {one} and {two}, or of {one} and nobody",
                        $"""
                        update platform.events e set tenant_id = case when o.tenant_id = e.tenant_id then gen_random_uuid() else o.tenant_id end
                        from platform.events o where (e.position, o.position) in (({one}, {two}), ({two}, {one}))
                        """
                    );
                    break;
                case 9:
                    await Do(
                        $"insert a copy of {two} at {one} and move the rest",
                        $"""
                        update platform.events set position = -position - 1 where position >= {one};
                        update platform.events set position = -position where position < 0;
                        insert into platform.events
                            (tenant_id, stream_id, version, position, time, type_version, stream_type, type, actor, correlation, data, leaf_hash)
                        select tenant_id, gen_random_uuid(), version, {one}, time, type_version, stream_type, type, actor, correlation, data, leaf_hash
                        from platform.events where position = {(two >= one ? two + 1 : two)}
                        """
                    );
                    break;
                case 10:
                    // Everything as it was at an earlier checkpoint; only what was kept outside tells.
                    await Do(
                        "cut off the tail behind a checkpoint, with every trace",
                        $"""
                        update platform.tree set size = (select tree_size from platform.checkpoints
                            where tree_size < {size} order by tree_size offset {random.Next(5)} limit 1);
                        delete from platform.events where position > (select size from platform.tree);
                        delete from platform.checkpoints where tree_size > (select size from platform.tree);
                        delete from platform.tree_tiles where index * 256 >= (select size from platform.tree) >> (8 * level);
                        update platform.tree_tiles set hashes = substr(hashes, 1, least(256,
                            ((select size from platform.tree) >> (8 * level)) - index * 256)::int * 32)
                        """
                    );
                    break;
                case 11:
                    IsInExport = false;
                    await Do(
                        "a byte of a tile",
                        FlipByte("platform.tree_tiles", "hashes", AnyOf("tree_tiles", "(level, index)"))
                    );
                    break;
                case 12:
                    IsInExport = false;
                    await Do(
                        "delete a tile",
                        $"delete from platform.tree_tiles where {AnyOf("tree_tiles", "(level, index)")}"
                    );
                    break;
                case 13:
                    IsInExport = false;
                    await Do(
                        "a byte of a root hash",
                        FlipByte("platform.checkpoints", "root_hash", AnyOf("checkpoints", "tree_size"))
                    );
                    break;
                case 14:
                    await Do(
                        "a character of a note",
                        $"""
                        update platform.checkpoints set note = overlay(note placing
                            case when substr(note, n, 1) = 'A' then 'B' else 'A' end from n for 1)
                        from (select 1 + {random.Next(200)} as n) t
                        where {AnyOf("checkpoints", "tree_size")}
                        """
                    );
                    break;
                default:
                    IsInExport = false;
                    await Do("the size of the tree", $"update platform.tree set size = size - {1 + random.Next(5)}");
                    break;
            }

            async Task Do(string what, string sql)
            {
                What = what;
                if (sql.Length == 0)
                    return;
                await using var command = new NpgsqlCommand(sql, connection);
                Assert.True(await command.ExecuteNonQueryAsync(cancellationToken) > 0, $"{what} changed nothing.");
            }
        }

        // A forger knows how hashes are made.
        private async Task ForgeAsync(long position, CancellationToken cancellationToken)
        {
            RecordedEvent recorded;
            await using (
                var read = new NpgsqlCommand(
                    $"select {LogReader.Columns} from platform.events where position = {position}",
                    connection
                )
            )
            await using (var reader = await read.ExecuteReaderAsync(cancellationToken))
            {
                await reader.ReadAsync(cancellationToken);
                recorded = LogReader.Read(reader, new LogReader.Names());
            }
            byte[] data = [.. recorded.Data.Span, (byte)' '];
            byte[] scratch = [];
            var leaf = new byte[LeafEncoding.HashSize];
            LeafEncoding.Hash(ref scratch, recorded.Header, data, leaf);
            await using var forge = new NpgsqlCommand(
                "update platform.events set data = $1, leaf_hash = $2 where position = $3",
                connection
            );
            forge.Parameters.AddWithValue(data);
            forge.Parameters.AddWithValue(leaf);
            forge.Parameters.AddWithValue(position);
            Assert.Equal(1, await forge.ExecuteNonQueryAsync(cancellationToken));
        }

        private string FlipByte(string table, string column, string where)
        {
            var (at, mask) = (random.Next(10_000), random.Next(1, 256));
            return $"""
                update {table} set {column} = set_byte({column}, {at} % octet_length({column}),
                    get_byte({column}, {at} % octet_length({column})) # {mask})
                where {where}
                """;
        }

        private string AnyOf(string table, string key) =>
            $"{key} = (select {key.Trim('(', ')')} from platform.{table} order by 1 offset {random.Next(10_000)} % (select count(*) from platform.{table}) limit 1)";

        private static string Swap(string column, long one, long two) =>
            $"""
                update platform.events set {column} = -1 where position = {one};
                update platform.events set {column} = {one} where position = {two};
                update platform.events set {column} = {two} where position = -1
                """;

        private async Task<object?> ScalarAsync(string sql, CancellationToken cancellationToken)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync(cancellationToken);
        }
    }
}
