using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Audit.Streams;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>Lists of streams over random logs, compared with the same question asked of the events in memory.</summary>
public sealed class StreamListTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static readonly string[] Types = ["note", "letter", "parcel"];
    private static readonly string[] Actors = ["user:ann", "user:ben", "system:clock"];

    private EventStore Store => host.Services.GetRequiredService<EventStore>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_listing_has_every_stream_that_matches_once_and_newest_first()
    {
        Prop.ForAll(Scenarios().ToArbitrary(), Check)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithQuietOnSuccess(true));

        async Task Check(Scenario scenario)
        {
            var recorder = await Recorder.BeginAsync(Store, tenants: 2);
            foreach (var written in scenario.Before)
                await recorder.AppendAsync(written);
            var log = await recorder.ReadAsync();
            var filter = scenario.FilterOver(log);
            var list = new StreamList(host.Services.GetRequiredService<Database>(), Store)
            {
                MaxEventsPerPage = scenario.MaxEventsPerPage,
                FirstChunk = scenario.FirstChunk,
                LaterChunk = scenario.LaterChunk,
            };

            var listed = new List<StreamSummary>();
            var between = new Queue<Written>(scenario.Between);
            ListingPoint? from = null;
            do
            {
                var page = await list.ReadAsync(recorder.Tenants[0], filter, from, scenario.Rows, Cancellation);
                Assert.InRange(page.Streams.Count, 0, scenario.Rows);
                listed.AddRange(page.Streams);
                from = page.Next is { } next ? Carried(next, filter) : null;
                // What comes while the pages are turned changes nothing: the listing shows the log as it was at the first page.
                if (between.TryDequeue(out var written))
                    await recorder.AppendAsync(written);
            } while (from is not null);

            Assert.Equal(Expected(log, recorder.Tenants[0], filter), listed);
        }
    }

    [Fact]
    public async Task A_page_that_meets_one_stream_only_ends_early_and_the_next_goes_on()
    {
        var recorder = await Recorder.BeginAsync(Store, tenants: 1);
        await recorder.AppendAsync(new Written(0, [0], 0, 1));
        await recorder.AppendAsync(new Written(0, [1], 0, 20));
        var list = new StreamList(host.Services.GetRequiredService<Database>(), Store)
        {
            MaxEventsPerPage = 6,
            FirstChunk = 3,
            LaterChunk = 3,
        };

        var filter = new StreamFilter(null, null, null, null);
        var pages = new List<int>();
        ListingPoint? from = null;
        do
        {
            var page = await list.ReadAsync(recorder.Tenants[0], filter, from, 10, Cancellation);
            pages.Add(page.Streams.Count);
            from = page.Next;
        } while (from is not null);

        Assert.Equal([1, 0, 0, 1], pages);
    }

    [Fact]
    public async Task An_organization_without_events_has_an_empty_list()
    {
        var list = host.Services.GetRequiredService<StreamList>();

        var page = await list.ReadAsync(
            Guid.CreateVersion7(),
            new StreamFilter(null, null, null, null),
            from: null,
            rows: 10,
            Cancellation
        );

        Assert.Empty(page.Streams);
        Assert.Null(page.Next);
    }

    /// <summary>One transaction, whose events bear one time: so many events to each of these streams of a tenant, by one actor.</summary>
    private sealed record Written(int Tenant, IReadOnlyCollection<int> Streams, int Actor, int Count);

    private sealed record Scenario(
        IReadOnlyList<Written> Before,
        IReadOnlyList<Written> Between,
        int Type,
        int Actor,
        (bool IsSet, int Event, int Shift) From,
        (bool IsSet, int Event, int Shift) To,
        int Rows,
        int MaxEventsPerPage,
        int FirstChunk,
        int LaterChunk
    )
    {
        /// <summary>Times are taken from events of the log, a microsecond before or behind them, so that the borders are met.</summary>
        public StreamFilter FilterOver(IReadOnlyList<RecordedEvent> log)
        {
            return new StreamFilter(
                Type < Types.Length ? Types[Type] : null,
                Actor < Actors.Length ? Actors[Actor] : null,
                TimeOf(From),
                TimeOf(To)
            );

            DateTimeOffset? TimeOf((bool IsSet, int Event, int Shift) border) =>
                border.IsSet && log.Count > 0 ? log[border.Event % log.Count].Time.AddMicroseconds(border.Shift) : null;
        }
    }

    private static Gen<Scenario> Scenarios()
    {
        var writes = Gen.ListOf(
            from tenant in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Constant(1)))
            from streams in Gen.NonEmptyListOf(Gen.Choose(0, 7))
            from actor in Gen.Choose(0, Actors.Length - 1)
            from count in Gen.Choose(1, 3)
            select new Written(tenant, [.. streams.Take(4).Distinct()], actor, count)
        );
        var border =
            from isSet in Gen.Elements(true, false)
            from @event in Gen.Choose(0, 1000)
            from shift in Gen.Choose(-1, 1)
            select (isSet, @event, shift);
        // One behind the last stands for no filter.
        return from before in writes
            from between in writes
            from type in Gen.Choose(0, Types.Length)
            from actor in Gen.Choose(0, Actors.Length)
            from first in border
            from last in border
            from rows in Gen.Choose(1, 7)
            from max in Gen.Choose(1, 40)
            from firstChunk in Gen.Choose(1, 10)
            from laterChunk in Gen.Choose(1, 10)
            select new Scenario([.. before], [.. between], type, actor, first, last, rows, max, firstChunk, laterChunk);
    }

    /// <summary>Writes a random log. Its organizations use the same ids of streams: nothing but the organization keeps them apart.</summary>
    private sealed class Recorder
    {
        private readonly EventStore _store;
        private readonly long _begin;
        private readonly Guid[] _streams = [.. Enumerable.Range(0, 8).Select(_ => Guid.CreateVersion7())];
        private readonly Dictionary<(int Tenant, int Stream), long> _versions = [];

        private Recorder(EventStore store, int tenants, long begin)
        {
            _store = store;
            _begin = begin;
            Tenants = [.. Enumerable.Range(0, tenants).Select(_ => Guid.CreateVersion7())];
        }

        public Guid[] Tenants { get; }

        public static async Task<Recorder> BeginAsync(EventStore store, int tenants) =>
            new(store, tenants, await store.ReadHeadAsync(Cancellation));

        public async Task AppendAsync(Written written)
        {
            var events = Enumerable.Repeat(new InferenceOutcomeLost(Guid.Empty), written.Count).ToArray();
            var streams = new List<StreamEvents>();
            foreach (var stream in written.Streams)
            {
                var version = _versions.GetValueOrDefault((written.Tenant, stream));
                _versions[(written.Tenant, stream)] = version + written.Count;
                streams.Add(new StreamEvents(Types[stream % Types.Length], _streams[stream], version, events));
            }
            var context = new AppendContext(Tenants[written.Tenant], Actors[written.Actor], "test");
            var result = await _store.AppendAsync(context, streams, [], Cancellation);
            Assert.Null(result.Conflict);
        }

        public async Task<IReadOnlyList<RecordedEvent>> ReadAsync() =>
            await _store
                .ReadAllAsync(_begin, Cancellation)
                .Where(e => Tenants.Contains(e.TenantId))
                .ToListAsync(Cancellation);
    }

    private static List<StreamSummary> Expected(IEnumerable<RecordedEvent> log, Guid tenant, StreamFilter filter) =>
        [
            .. log.Where(e => e.TenantId == tenant)
                .GroupBy(e => e.StreamId)
                .Select(stream => (Events: stream.ToList(), Match: stream.LastOrDefault(e => Matches(e, filter))))
                .Where(stream => stream.Match is not null)
                .OrderByDescending(stream => stream.Match!.Position)
                .Select(stream => new StreamSummary(
                    stream.Events[0].StreamId,
                    stream.Events[0].StreamType,
                    stream.Events.Count,
                    stream.Events[0].Time.UtcDateTime,
                    stream.Events[0].Actor,
                    stream.Events[^1].Time.UtcDateTime,
                    stream.Events[^1].Type,
                    stream.Events[^1].Position,
                    stream.Match!.Position
                )),
        ];

    private static bool Matches(RecordedEvent recorded, StreamFilter filter) =>
        (filter.Type is null || recorded.StreamType == filter.Type)
        && (filter.Actor is null || recorded.Actor == filter.Actor)
        && (filter.From is null || recorded.Time >= filter.From)
        && (filter.Before is null || recorded.Time < filter.Before);

    // As a client would bring it back.
    private static ListingPoint Carried(ListingPoint point, StreamFilter filter)
    {
        Assert.True(ListingPoint.TryRead(point.ToCursor(filter), filter, out var read));
        return read;
    }
}
