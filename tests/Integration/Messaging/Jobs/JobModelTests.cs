using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging.Jobs;

/// <summary>
/// Random lives of a queue against the real one and against a model of it in memory: jobs that succeed and fail, unique keys, decisions,
/// instances that take a job and are never heard of again.
/// </summary>
public sealed class JobModelTests(SharedPostgres server)
{
    // As DoChore says.
    private const int MaxAttempts = 3;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void A_queue_does_what_the_model_does()
    {
        var property = Prop.ForAll(Arb.From(Lives, Shrink), steps => RunAsync(steps).GetAwaiter().GetResult());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(12).WithQuietOnSuccess(true), property);
    }

    internal abstract record Step;

    internal sealed record Enqueue(string Kind, int Key) : Step;

    /// <summary>A decision about one of the jobs that there are.</summary>
    internal sealed record Decide(string Verb, int Job) : Step;

    /// <summary>An instance takes a job and dies.</summary>
    internal sealed record Die(int Job) : Step;

    /// <summary>An instance runs until nothing is left to do.</summary>
    internal sealed record Work : Step;

    private static Gen<Step> AnyStep =>
        Gen.Frequency(
            (
                8,
                from kind in Gen.Frequency(
                    (4, Gen.Constant("")),
                    (2, Gen.Constant("fails once")),
                    (2, Gen.Constant("fails"))
                )
                from key in Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Choose(1, 2)))
                select (Step)new Enqueue(kind, key)
            ),
            (
                4,
                from verb in Gen.Elements("retry", "discard", "cancel")
                from job in Gen.Choose(0, 9)
                select (Step)new Decide(verb, job)
            ),
            (2, Gen.Choose(0, 9).Select(j => (Step)new Die(j))),
            (2, Gen.Constant((Step)new Work()))
        );

    private static Gen<Step[]> Lives => Gen.Choose(4, 20).SelectMany(n => Gen.ArrayOf(AnyStep, n));

    private static IEnumerable<Step[]> Shrink(Step[] steps) =>
        steps.Select((_, i) => (Step[])[.. steps[..i], .. steps[(i + 1)..]]);

    private async Task RunAsync(Step[] steps)
    {
        await using var store = new TestStore(await MigratedDatabase.CreateAsync(server));
        await store.ExecuteAsync(Worker.Schema);
        var model = new List<Modelled>();
        foreach (var step in steps.Append(new Work()))
        {
            switch (step)
            {
                case Enqueue enqueue:
                    await EnqueueAsync(store, model, enqueue);
                    break;
                case Decide decide when model.Count > 0:
                    var decided = model[decide.Job % model.Count];
                    Assert.Equal(Decided(model, decided, decide.Verb), await DecideAsync(store, decided, decide.Verb));
                    break;
                case Die die when model.Count > 0:
                    await DieAsync(store, model[die.Job % model.Count]);
                    break;
                case Work:
                    await WorkAsync(store, model);
                    break;
            }
        }
        foreach (var job in model)
        {
            Assert.Equal(
                (job.Status, job.Attempts),
                (
                    await store.QueryAsync<string>($"select status from platform.jobs where {Of(job)}"),
                    await store.QueryAsync<int>($"select attempts from platform.jobs where {Of(job)}")
                )
            );
            Assert.Equal(
                job.Status == "done" ? 1 : 0,
                await store.QueryAsync<long>($"select count(*) from public.worked where number = {job.Number}")
            );
        }
        Assert.Equal(model.Count, await store.QueryAsync<long>("select count(*) from platform.jobs"));
    }

    private static string Of(Modelled job) => $"(payload::json ->> 'number')::bigint = {job.Number}";

    private static async Task EnqueueAsync(TestStore store, List<Modelled> model, Enqueue enqueue)
    {
        var key = enqueue.Key == 0 ? null : $"key {enqueue.Key}";
        var job = new Modelled(model.Count, enqueue.Kind, key);
        await store.Events.AppendAsync(
            TestStore.Context,
            [new StreamEvents("test-plain", Guid.CreateVersion7(), 0, [new Noted("enqueued")])],
            [
                RunningJobs.Enqueuer.Enqueue(
                    TestStore.Context,
                    new Chore(job.Number, job.Kind),
                    new JobOptions { UniqueKey = key }
                ),
            ],
            Cancelled
        );
        if (!IsTaken(model, key))
            model.Add(job);
    }

    private static bool IsTaken(List<Modelled> model, string? key) =>
        key is not null && model.Exists(j => j.Key == key && j.Status is "waiting");

    // What the decision comes to, in the model.
    private static bool Decided(List<Modelled> model, Modelled job, string verb)
    {
        switch (verb, job.Status)
        {
            case ("retry", "dead") when !IsTaken(model, job.Key):
                (job.Status, job.Attempts) = ("waiting", 0);
                return true;
            case ("discard", "dead"):
                job.Status = "discarded";
                return true;
            case ("cancel", "waiting"):
                job.Status = "cancelled";
                return true;
            default:
                return false;
        }
    }

    private static async Task<bool> DecideAsync(TestStore store, Modelled job, string verb)
    {
        var id = await store.QueryAsync<Guid>($"select id from platform.jobs where {Of(job)}");
        var found = (await new JobRecords(store.Database).FindAsync(null, id, Cancelled))!;
        try
        {
            var write = verb switch
            {
                "retry" => JobRecords.Retry(found),
                "discard" => JobRecords.Discard(found),
                _ => JobRecords.Cancel(found),
            };
            await store.Events.AppendAsync(
                TestStore.Context,
                [new StreamEvents("test-plain", Guid.CreateVersion7(), 0, [new Noted("decided")])],
                [write],
                Cancelled
            );
            return true;
        }
        catch (PostgresException e) when (e.SqlState is JobRecords.HasGoneOn or PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
    }

    private static async Task DieAsync(TestStore store, Modelled job)
    {
        if (job.Status != "waiting")
            return;
        await store.ExecuteAsync(
            $"""
            update platform.jobs set status = 'running', holder = gen_random_uuid(), epoch = epoch + 1, attempts = attempts + 1,
                lease_until = clock_timestamp() - interval '1 second'
            where {Of(job)}
            """
        );
        // Somebody finds it at once: what comes next is about a job that waits, or is dead.
        await using var connection = await store.Database.Writes.OpenConnectionAsync(Cancelled);
        Assert.Equal(1, await JobLeases.RecoverAsync(connection, ["test.chore"], [MaxAttempts], Cancelled));
        job.Attempts++;
        if (job.Attempts >= MaxAttempts)
            job.Status = "dead";
    }

    private static async Task WorkAsync(TestStore store, List<Modelled> model)
    {
        await using (var running = new RunningJobs(store, new Worker("one")))
        {
            await running.StartAsync();
            await Eventually.UntilAsync(async () =>
                await store.QueryAsync<bool>(
                    "select not exists(select from platform.jobs where status in ('waiting', 'running'))"
                )
            );
        }
        foreach (var job in model.Where(j => j.Status == "waiting"))
        {
            do
            {
                job.Attempts++;
                if (job.Kind == "fails" || (job.Kind == "fails once" && job.Attempts == 1))
                    continue;
                job.Status = "done";
                break;
            } while (job.Attempts < MaxAttempts);
            if (job.Status != "done")
                job.Status = "dead";
        }
    }

    /// <summary>A job in memory.</summary>
    private sealed class Modelled(int number, string kind, string? key)
    {
        public int Number { get; } = number;

        public string Kind { get; } = kind;

        public string? Key { get; } = key;

        public string Status { get; set; } = "waiting";

        public int Attempts { get; set; }
    }
}
