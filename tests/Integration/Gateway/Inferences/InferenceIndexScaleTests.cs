using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Modules.Gateway.InferenceIndex;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Messaging;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Inferences;

/// <summary>
/// What the list of calls costs. <c>VERBATIM_INDEX_CALLS=200000</c> makes it a measurement; the figures stand in <c>docs/inferences.md</c>.
/// </summary>
public sealed class InferenceIndexScaleTests(VerbatimHost host, ITestOutputHelper output) : IClassFixture<VerbatimHost>
{
    private const int AtOnce = 500;
    private const string Projection = "gateway.inferences";

    // What two minutes of vacuum, planner and a busy machine may take.
    private static readonly TimeSpan PagePatience = TimeSpan.FromSeconds(5);

    private static readonly int Calls = int.Parse(
        Environment.GetEnvironmentVariable("VERBATIM_INDEX_CALLS") ?? "12000",
        CultureInfo.InvariantCulture
    );

    private readonly Guid _tenant = Guid.CreateVersion7();
    private readonly Guid _user = Guid.CreateVersion7();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private EventStore Store => host.Services.GetRequiredService<EventStore>();

    [Fact]
    public async Task A_row_has_few_bytes_and_a_page_is_bounded_whatever_is_looked_for()
    {
        var together = await MeasureAsync("outcomes that follow their call", Calls, apart: false);
        var apart = await MeasureAsync("outcomes that come in a later batch", Calls, apart: true);
        Assert.True(together > 0 && apart > 0);

        var bytes = await QueryAsync<long>(
            "select avg(pg_column_size(i.*))::bigint from gateway.inferences i where words is not null"
        );
        Report($"{bytes} bytes a row, of bodies with {Body(0).Length} and {Answer(0).Length}");
        Assert.InRange(bytes, 300, 700);

        var listing = host.Services.GetRequiredService<InferenceListing>();
        foreach (
            var (name, filter) in new (string, InferenceFilter)[]
            {
                ("the newest", new InferenceFilter()),
                ("a model that nobody used", new InferenceFilter { Model = "none" }),
                ("a cost that nothing had", new InferenceFilter { MinCost = 1000 }),
                ("a word of every call", new InferenceFilter { Text = "question" }),
                ("a word of one call", new InferenceFilter { Text = "needle7" }),
                ("a word of none", new InferenceFilter { Text = "absent" }),
            }
        )
        {
            var began = Stopwatch.GetTimestamp();
            var page = await listing.ReadAsync(Access.ToAll(_tenant), filter, before: null, rows: 50, Cancellation);
            var took = Stopwatch.GetElapsedTime(began);
            Report($"{name}: {page.Rows.Count} rows in {took.TotalMilliseconds:N1} ms");
            Assert.True(took < PagePatience);
        }
    }

    private async Task<double> MeasureAsync(string name, int calls, bool apart)
    {
        var ids = Enumerable.Range(0, calls).Select(_ => host.Services.GetRequiredService<IdSource>().New()).ToArray();
        var build = await LiveBuildAsync();
        foreach (var chunk in ids.Index().Chunk(AtOnce))
        {
            await Task.WhenAll(chunk.Select(c => BeginAsync(c.Item, c.Index)));
            if (!apart)
                await Task.WhenAll(chunk.Select(c => EndAsync(c.Item, c.Index)));
        }
        if (apart)
        {
            foreach (var chunk in ids.Index().Chunk(AtOnce))
                await Task.WhenAll(chunk.Select(c => EndAsync(c.Item, c.Index)));
        }

        // Building anew handles the same events in the same way, without waiting for them.
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var events = await QueryAsync<long>("select max(position) from platform.events");
        var processor = Environment.CpuUsage.TotalTime;
        var began = Stopwatch.GetTimestamp();
        await administrator.PostJsonAsync(
            $"/api/admin/subscriptions/{Projection}/rebuild",
            body: null,
            System.Net.HttpStatusCode.Accepted
        );
        await Eventually.UntilAsync(async () => await LiveBuildAsync() > build);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var own = (Environment.CpuUsage.TotalTime - processor).TotalMicroseconds;
        var rows = await QueryAsync<long>("select count(*) from gateway.inferences");
        Report(
            $"{name}: {rows} rows of {events} events in {seconds:N1} s, {rows / seconds:N0} calls/s, {own / rows:N0} µs a call of this process's processor time"
        );
        return rows / seconds;
    }

    private Task BeginAsync(Guid id, int number) =>
        AppendAsync(
            id,
            0,
            new InferenceStarted(
                "openai.chat-completions",
                $"model-{number % 5}",
                "east",
                "openai",
                Stream: false,
                _user,
                ProjectId: null,
                Guid.Empty,
                ClientRequestId: null,
                RecordingLevel.Full,
                RequestDigest: null,
                new RawJson(Body(number))
            )
        );

    private Task EndAsync(Guid id, int number) =>
        AppendAsync(
            id,
            1,
            new InferenceCompleted(
                [new Attempt(1, "east", "openai", 200, "req", 1, Failure: null)],
                new Usage(10, 20, 30, 0, 0, 0, Estimated: false),
                Cost: 0.001m,
                new Latency(1, 2),
                ResponseDigest: null,
                new RawJson(Answer(number))
            )
        );

    private async Task AppendAsync(Guid id, long version, IEvent @event)
    {
        var result = await Store.AppendAsync(
            new AppendContext(_tenant, $"user:{_user}", "") { Subject = _user },
            new StreamEvents("inference", id, version, [@event]),
            Cancellation
        );
        Assert.Null(result.Conflict);
    }

    private static byte[] Body(int number) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                model = "model",
                messages = new[]
                {
                    new
                    {
                        role = "system",
                        content = "You are a careful assistant who answers every question in one paragraph.",
                    },
                    new { role = "user", content = $"The question needle{number} is about " + Words(number, 100) },
                },
            }
        );

    private static byte[] Answer(int number) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new { choices = new[] { new { message = new { content = Words(number * 7, 100) } } } }
        );

    private static string Words(int seed, int count) =>
        string.Join(' ', Enumerable.Range(0, count).Select(i => $"word{(seed + (i * 37)) % 5000}"));

    private Task<int> LiveBuildAsync() =>
        QueryAsync<int>($"select live_build from platform.projections where name = '{Projection}'");

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(host.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private void Report(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
