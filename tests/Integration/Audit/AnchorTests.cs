using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Verbatim.Evidence;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Postgres;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Audit;

/// <summary>Checkpoints on their way out of the database: to a real HTTP listener and to a file.</summary>
public sealed class AnchorTests(SharedPostgres postgres) : IDisposable
{
    private const string Secret = "the webhook's own secret";

    private readonly TemporaryHome _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_webhook_that_fails_at_first_gets_every_checkpoint_in_order()
    {
        await using var listener = await Listener.StartAsync(refusals: 2);
        await using var own = await StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            new()
            {
                ["Evidence:Anchor:Webhook"] = listener.Address,
                ["Evidence:Anchor:WebhookToken"] = "the-token",
                ["Evidence:Anchor:WebhookSecret"] = Secret,
            }
        );
        await listener.WaitAsync(r => r.Any(request => request.Status == 200));
        for (var i = 0; i < 3; i++)
        {
            using var _ = await own.AsNewAsync("user", Cancellation);
            await own.SealAsync(Cancellation);
        }
        var newest = (await NotesAsync(own))[^1];

        await listener.WaitAsync(r => r.Any(request => request.Body == newest));

        var requests = listener.Requests.ToList();
        Assert.Equal([503, 503], requests.Take(2).Select(r => r.Status));
        var taken = requests.Where(r => r.Status == 200).Select(r => r.Body).ToList();
        // Every checkpoint from the first that was delivered on, none twice.
        Assert.Equal((await NotesAsync(own)).SkipWhile(n => n != taken[0]), taken);
        Assert.All(requests, r => Assert.Equal("Bearer the-token", r.Authorization));
        Assert.All(
            requests,
            r =>
                Assert.Equal(
                    $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(r.Body)))}",
                    r.Signature
                )
        );
        Assert.All(requests, r => Assert.Equal("text/plain; charset=utf-8", r.ContentType));
        Assert.Equal(requests[^1].Body.Split('\n')[1], requests[^1].TreeSize);
    }

    [Fact]
    public async Task What_piled_up_while_the_target_or_the_server_was_away_is_delivered()
    {
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var away = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // Taken once, so that its place in the log is known; then nobody listens there for a while.
            ["Evidence:Anchor:Webhook"] = "",
        };
        string first;
        await using (var listener = await Listener.StartAsync(refusals: 0))
        {
            away["Evidence:Anchor:Webhook"] = listener.Address;
            await using var own = await StartAsync(database, away);
            await listener.WaitAsync(r => r.Any(request => request.Status == 200));
            first = listener.Requests.First().Body;
        }
        await using (var own = await StartAsync(database, away))
        {
            for (var i = 0; i < 5; i++)
            {
                using var _ = await own.AsNewAsync("user", Cancellation);
                // Signing does not wait for the target.
                await own.SealAsync(Cancellation);
            }
        }

        var port = new Uri(away["Evidence:Anchor:Webhook"]).Port;
        await using var back = await Listener.StartAsync(refusals: 0, port);
        await using var again = await StartAsync(database, away);
        var all = await NotesAsync(again);
        await back.WaitAsync(r => r.Any(request => request.Body == all[^1]));

        Assert.Equal(
            all.SkipWhile(n => n != first).Skip(1),
            back.Requests.Select(r => r.Body).Take(all.Count - all.IndexOf(first) - 1)
        );
    }

    [Fact]
    public async Task Two_instances_deliver_each_checkpoint_once()
    {
        await using var listener = await Listener.StartAsync(refusals: 0);
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Evidence:Anchor:Webhook"] = listener.Address,
        };
        await using var one = await StartAsync(database, settings);
        await using var two = await StartAsync(database, settings);
        for (var i = 0; i < 3; i++)
        {
            using var _ = await one.AsNewAsync("user", Cancellation);
            await two.SealAsync(Cancellation);
        }
        var newest = (await NotesAsync(one))[^1];

        await listener.WaitAsync(r => r.Any(request => request.Body == newest));

        var taken = listener.Requests.Select(r => r.Body).ToList();
        Assert.Equal(taken.Distinct(StringComparer.Ordinal), taken);
    }

    [Fact]
    public async Task The_file_is_one_that_the_verifier_reads_and_a_torn_end_is_mended()
    {
        var file = _folder.File("kept.txt");
        var database = await postgres.CreateDatabaseAsync(Cancellation);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Evidence:Anchor:File"] = file };
        await using (var own = await StartAsync(database, settings))
            await FileHasAsync(own);
        await using (var without = await StartAsync(database, []))
        {
            using var _ = await without.AsNewAsync("user", Cancellation);
            await without.SealAsync(Cancellation);
            // The machine fell over in the middle of the next note.
            var kept = KeptNotes.Split(await File.ReadAllTextAsync(file, Cancellation));
            var next = (await NotesAsync(without)).SkipWhile(n => n != kept[^1]).ElementAt(1);
            await File.AppendAllTextAsync(file, next[..40], Cancellation);
        }
        await using var again = await StartAsync(database, settings);
        await FileHasAsync(again);

        var notes = KeptNotes.Split(await File.ReadAllTextAsync(file, Cancellation));
        var keys = await again.Services.GetRequiredService<TreeReader>().ReadKeysAsync(Cancellation);
        var checkpoints = new Dictionary<long, Checkpoint>();
        Assert.Null(KeptNotes.Open(notes, [.. keys.Select(k => k.Key)], checkpoints));
        Assert.Equal(notes.Count, checkpoints.Count);
        Assert.Equal((await NotesAsync(again)).SkipWhile(n => n != notes[0]).Take(notes.Count), notes);

        async Task FileHasAsync(VerbatimHost running)
        {
            var newest = (await NotesAsync(running))[^1];
            while (!(await File.ReadAllTextAsync(file, Cancellation)).EndsWith(newest + "\n", StringComparison.Ordinal))
                await Task.Delay(20, Cancellation);
        }
    }

    private static Task<VerbatimHost> StartAsync(string database, Dictionary<string, string> settings) =>
        VerbatimHost.StartAsync(database, settings);

    private static async Task<List<string>> NotesAsync(VerbatimHost own)
    {
        await own.SealAsync(Cancellation);
        await using var command = own
            .Services.GetRequiredService<Database>()
            .Writes.CreateCommand("select note from platform.checkpoints order by tree_size");
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var notes = new List<string>();
        while (await reader.ReadAsync(Cancellation))
            notes.Add(reader.GetString(0));
        return notes;
    }

    private sealed record Received(
        int Status,
        string Body,
        string? Authorization,
        string? Signature,
        string? ContentType,
        string? TreeSize
    );

    /// <summary>Somebody else's server.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private int _refusals;

        private Listener(WebApplication app, int refusals)
        {
            _app = app;
            _refusals = refusals;
        }

        public ConcurrentQueue<Received> Requests { get; } = [];

        public string Address => $"{_app.Urls.Single()}/checkpoints?key=1";

        public static async Task<Listener> StartAsync(int refusals, int port = 0)
        {
            var builder = WebApplication.CreateBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
            var app = builder.Build();
            var listener = new Listener(app, refusals);
            app.MapPost("/checkpoints", listener.TakeAsync);
            await app.StartAsync(Cancellation);
            return listener;
        }

        public async Task WaitAsync(Func<IEnumerable<Received>, bool> condition)
        {
            while (!condition(Requests))
                await Task.Delay(20, Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            await _app.StopAsync(Cancellation);
            await _app.DisposeAsync();
        }

        private async Task<IResult> TakeAsync(HttpRequest request)
        {
            using var reader = new StreamReader(request.Body);
            var status = Interlocked.Decrement(ref _refusals) >= 0 ? 503 : 200;
            Requests.Enqueue(
                new Received(
                    status,
                    await reader.ReadToEndAsync(Cancellation),
                    request.Headers.Authorization,
                    request.Headers["x-verbatim-signature"],
                    request.ContentType,
                    request.Headers["x-verbatim-tree-size"]
                )
            );
            // A chatty target; nobody reads what it says.
            return Results.Text(new string('x', 100_000), statusCode: status);
        }
    }
}
