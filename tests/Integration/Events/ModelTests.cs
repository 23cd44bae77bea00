using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>Random sequences of appends against the real store and against a model of it in memory: both must answer the same.</summary>
public sealed class ModelTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private const int Streams = 4;
    private const int Instances = 2;

    private readonly TestStore[] _stores =
    [
        .. Enumerable.Range(0, Instances).Select(_ => new TestStore(database.ConnectionString)),
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        await _stores[0].ExecuteAsync("create table public.marks (tenant uuid, number bigint)");

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
            await store.DisposeAsync();
    }

    [Fact]
    public void The_store_answers_as_the_model_does()
    {
        var property = Prop.ForAll(Arb.From(Bursts, Shrink), bursts => RunAsync(bursts).GetAwaiter().GetResult());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60).WithQuietOnSuccess(true), property);
    }

    /// <summary>What one caller does.</summary>
    internal abstract record Step;

    /// <summary>Appends to some streams at once.</summary>
    /// <param name="Parts">Which streams; how far from right the expected version is; the events' texts.</param>
    /// <param name="Statement">Also carries out a statement: one that succeeds, or one that fails.</param>
    internal sealed record Append(IReadOnlyList<(int Stream, int Error, string[] Texts)> Parts, Statement Statement)
        : Step;

    internal enum Statement
    {
        None,
        Good,
        Bad,
    }

    /// <summary>Decides about a document.</summary>
    internal sealed record Decide(int Document, int[] Increments, bool Refuses) : Step;

    /// <summary>Steps that one instance is given at once, without waiting for answers in between.</summary>
    internal sealed record Burst(int Instance, IReadOnlyList<Step> Steps);

    private static Gen<string> Text =>
        Gen.Frequency(
            (8, ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => s.Get)),
            (1, Gen.Choose(0, 20_000).Select(n => new string('y', n))),
            (1, Gen.Elements("\0", "\ud800", "\udc00\ud800", "\u2028", "\"\\/\b\u007f", "😀"))
        );

    private static Gen<Step> AppendStep =>
        from parts in Gen.NonEmptyListOf(
                from stream in Gen.Choose(0, Streams - 1)
                from error in Gen.Frequency((9, Gen.Constant(0)), (1, Gen.Elements(-1, 1, 5)))
                from texts in Gen.Choose(1, 4).SelectMany(n => Gen.ArrayOf(Text, n))
                select (stream, error, texts)
            )
            .Resize(3)
        from statement in Gen.Frequency(
            (8, Gen.Constant(Statement.None)),
            (2, Gen.Constant(Statement.Good)),
            (1, Gen.Constant(Statement.Bad))
        )
        select (Step)new Append([.. parts], statement);

    private static Gen<Step> DecideStep =>
        from document in Gen.Choose(0, 1)
        from increments in Gen.Choose(1, 3).SelectMany(n => Gen.ArrayOf(Gen.Choose(-5, 5), n))
        from refuses in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        select (Step)new Decide(document, increments, refuses);

    private static Gen<Burst[]> Bursts =>
        Gen.ArrayOf(
                from instance in Gen.Choose(0, Instances - 1)
                // A decision reads before it appends, so only alone is it known what it reads.
                from steps in Gen.Frequency(
                    (3, AppendStep.ListOf().Resize(12).Select(s => (IReadOnlyList<Step>)[.. s])),
                    (1, DecideStep.Select(s => (IReadOnlyList<Step>)[s]))
                )
                select new Burst(instance, steps)
            )
            .Resize(12);

    private static IEnumerable<Burst[]> Shrink(Burst[] bursts)
    {
        for (var i = 0; i < bursts.Length; i++)
        {
            yield return [.. bursts[..i], .. bursts[(i + 1)..]];
            for (var j = 0; j < bursts[i].Steps.Count; j++)
                yield return
                [
                    .. bursts[..i],
                    bursts[i] with
                    {
                        Steps = [.. bursts[i].Steps.Where((_, k) => k != j)],
                    },
                    .. bursts[(i + 1)..],
                ];
        }
    }

    private async Task RunAsync(Burst[] bursts)
    {
        var model = new Model();
        var context = TestStore.NewContext();
        var head = await _stores[0].Events.ReadHeadAsync(Cancelled);
        foreach (var burst in bursts)
        {
            // The writer takes appends in the order in which they come, so the model's order is the real one.
            var store = _stores[burst.Instance];
            var planned = burst.Steps.Select(step => (step, expected: model.Do(step))).ToList();
            var answers = await Task.WhenAll(planned.Select(p => DoAsync(store, context, model, p.step, p.expected)));
            foreach (var ((step, expected), answer) in planned.Zip(answers))
                Assert.True(Fits(expected, answer), $"{step}: expected {expected}, but was {answer}");
        }
        await CheckAsync(model, context, head);
    }

    private static async Task<Answer> DoAsync(
        TestStore store,
        AppendContext context,
        Model model,
        Step step,
        Planned planned
    )
    {
        try
        {
            switch (step)
            {
                case Append append:
                    var result = await store.Events.AppendAsync(
                        context,
                        [
                            .. append.Parts.Select(
                                (part, i) =>
                                    new StreamEvents(
                                        "test-plain",
                                        model.Streams[part.Stream],
                                        planned.Versions[i],
                                        [.. part.Texts.Select(t => new Noted(t, Model.Body))]
                                    )
                            ),
                        ],
                        append.Statement switch
                        {
                            Statement.Good =>
                            [
                                new SqlWrite(
                                    "insert into public.marks values ($1, $2)",
                                    context.TenantId,
                                    planned.Number
                                ),
                            ],
                            Statement.Bad => [new SqlWrite("select 1 / $1", 0)],
                            _ => [],
                        },
                        Cancelled
                    );
                    return result.Conflict is { } conflict ? new Conflicted(conflict) : new Done();

                case Decide decide:
                    var outcome = await store.Documents.DecideAsync<Tally>(
                        context,
                        model.Documents[decide.Document],
                        _ =>
                            decide.Refuses
                                ? Decision.Refuse(RefusalKind.Invalid, "test.no", "")
                                : Decision.Append([.. decide.Increments.Select(i => new Counted(i))]),
                        Cancelled
                    );
                    return outcome.Match<Answer>(d => new Decided(d.Value.Count, d.Version), _ => new Refused());

                default:
                    throw new ArgumentOutOfRangeException(nameof(step));
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DivisionByZero)
        {
            return new Failed();
        }
    }

    // An append that fails by its statement may also be told that it came too late: it is tried again behind the others of its batch.
    private static bool Fits(Planned expected, Answer answer) =>
        expected.Answer == answer || (expected.Answer is Failed && answer is Conflicted);

    private async Task CheckAsync(Model model, AppendContext context, long head)
    {
        var log = await _stores[0].ReadAllAsync(head);
        LogChecks.AssertSound(log);
        Assert.Equal(model.Log.Count, log.Count);
        Assert.Equal(head + log.Count, await _stores[1].Events.ReadHeadAsync(Cancelled));
        foreach (var (id, versions) in log.GroupBy(e => e.StreamId).Select(g => (g.Key, g.ToList())))
        {
            Assert.Equal(1, versions[0].Version);
            Assert.Equal(
                model.Log.Where(e => e.Stream == id).Select(e => e.Json),
                versions.Select(v => Encoding.UTF8.GetString(v.Data.Span))
            );
        }
        Assert.All(log, e => Assert.Equal(context, new AppendContext(e.TenantId, e.Actor, e.Correlation)));

        // A batch that was taken apart is written in another order; one stream's and one statement's order stays.
        Assert.Equal(
            model.Marks.Order(),
            (await NumbersAsync($"select number from public.marks where tenant = '{context.TenantId}'")).Order()
        );

        foreach (var id in model.Documents)
        {
            var row = await _stores[1].Documents.LoadAsync<Tally>(Access.ToAll(context.TenantId), id, Cancelled);
            Assert.Equal(model.Counts.TryGetValue(id, out var count) ? count : null, row?.Value.Count);
            Assert.Equal(
                row,
                await _stores[0].Documents.LoadAtVersionAsync<Tally>(Access.ToAll(context.TenantId), id, 99, Cancelled)
            );
            if (row is not null)
                Assert.Equal(
                    (
                        log.Last(e => e.StreamId == id).Position,
                        JsonSerializer.Serialize(row.Value, _stores[0].Catalog.Json)
                    ),
                    (
                        await _stores[0]
                            .QueryAsync<long>($"select position from documents.test_tally where id = '{id}'"),
                        await _stores[0]
                            .QueryAsync<string>($"select data::text from documents.test_tally where id = '{id}'")
                    )
                );
        }
    }

    private async Task<List<long>> NumbersAsync(string sql)
    {
        await using var command = _stores[0].Database.Writes.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        var numbers = new List<long>();
        while (await reader.ReadAsync(Cancelled))
            numbers.Add(reader.GetInt64(0));
        return numbers;
    }

    private abstract record Answer;

    private sealed record Done : Answer;

    private sealed record Conflicted(VersionConflict Conflict) : Answer;

    private sealed record Failed : Answer;

    private sealed record Refused : Answer;

    private sealed record Decided(int Count, long Version) : Answer;

    private sealed record Planned(Answer Answer, long[] Versions, long Number);

    /// <summary>The store as a list.</summary>
    private sealed class Model
    {
        public static readonly RawJson Body = new("""{ "raw" : [1.0 , "A"] }"""u8.ToArray());

        private readonly Dictionary<Guid, long> _versions = [];
        private long _number;

        public Guid[] Streams { get; } =
        [.. Enumerable.Range(0, ModelTests.Streams).Select(_ => Guid.CreateVersion7())];

        public Guid[] Documents { get; } = [Guid.CreateVersion7(), Guid.CreateVersion7()];

        public List<(Guid Stream, string Json)> Log { get; } = [];

        public List<long> Marks { get; } = [];

        public Dictionary<Guid, int?> Counts { get; } = [];

        public Planned Do(Step step) =>
            step switch
            {
                Append append => Do(append),
                Decide decide => new Planned(Do(decide), [], 0),
                _ => throw new ArgumentOutOfRangeException(nameof(step)),
            };

        private Planned Do(Append append)
        {
            var number = ++_number;
            var versions = new Dictionary<Guid, long>();
            var expected = new long[append.Parts.Count];
            VersionConflict? conflict = null;
            for (var i = 0; i < expected.Length; i++)
            {
                var (stream, error, texts) = append.Parts[i];
                var id = Streams[stream];
                var actual = versions.GetValueOrDefault(id, _versions.GetValueOrDefault(id));
                expected[i] = Math.Max(0, actual + error);
                if (expected[i] != actual)
                    conflict ??= new VersionConflict(id, expected[i], actual);
                versions[id] = actual + texts.Length;
            }
            if (conflict is not null)
                return new Planned(new Conflicted(conflict), expected, number);
            if (append.Statement == Statement.Bad)
                return new Planned(new Failed(), expected, number);
            if (append.Statement == Statement.Good)
                Marks.Add(number);
            foreach (var (stream, _, texts) in append.Parts)
            {
                foreach (var text in texts)
                    Log.Add((Streams[stream], NotedJson(text)));
            }
            foreach (var (id, version) in versions)
                _versions[id] = version;
            return new Planned(new Done(), expected, number);
        }

        private Answer Do(Decide decide)
        {
            if (decide.Refuses)
                return new Refused();
            var id = Documents[decide.Document];
            foreach (var increment in decide.Increments)
                Log.Add((id, $$"""{"by":{{increment}}}"""));
            Counts[id] = Counts.GetValueOrDefault(id, 0) + decide.Increments.Sum();
            _versions[id] = _versions.GetValueOrDefault(id) + decide.Increments.Length;
            return new Decided(Counts[id]!.Value, _versions[id]);
        }

        // What the event's JSON must be, with an encoder that is not the catalog's instance.
        private static string NotedJson(string text)
        {
            using var json = new MemoryStream();
            using (
                var writer = new Utf8JsonWriter(
                    json,
                    new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
                )
            )
            {
                writer.WriteStartObject();
                writer.WriteString("text", text);
                writer.WritePropertyName("body");
                writer.WriteRawValue(Body.Utf8.Span);
                writer.WriteEndObject();
            }
            return Encoding.UTF8.GetString(json.ToArray());
        }
    }
}
