using System.Globalization;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>
/// An instance that appends as fast as it can, with several writers, until its input ends. Each append has a token of its own; what was
/// acknowledged is printed as <c>token position</c>, and what is not known as <c>token ?</c>.
/// </summary>
internal sealed class AppendingProcess : IChildProgram
{
    public async Task<int> RunAsync(string[] args)
    {
        var (connectionString, name, writers) = (args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
        var context = new AppendContext(Guid.Parse(args[3]), "system:test", name);
        await using var store = new TestStore(connectionString, patience: TimeSpan.FromSeconds(60));
        using var stopping = new CancellationTokenSource();
        var working = Enumerable
            .Range(0, writers)
            .Select(w => WriteAsync(store, context, $"{name}/{w}", stopping.Token));
        var all = Task.WhenAll(working.Select(w => Task.Run(() => w)).ToArray());

        await Task.WhenAny(Console.In.ReadToEndAsync(CancellationToken.None), all);
        await stopping.CancelAsync();
        await all;
        Console.WriteLine("end");
        return 0;
    }

    private static async Task WriteAsync(
        TestStore store,
        AppendContext context,
        string writer,
        CancellationToken cancellationToken
    )
    {
        await Task.Yield();
        var own = Guid.CreateVersion7();
        var document = Guid.CreateVersion7();
        var version = 0L;
        for (var n = 0; !cancellationToken.IsCancellationRequested; n++)
        {
            var token = $"{writer}/{n}";
            try
            {
                if (n % 7 == 6)
                {
                    await store.Documents.DecideAsync<Tally>(
                        context,
                        document,
                        _ => Decision.Append(new Counted(1, token)),
                        cancellationToken
                    );
                    Print(token, 0);
                    continue;
                }
                // A stream of its own that grows, or a new one each time.
                var isNew = n % 2 == 0;
                var events = Enumerable.Range(0, 1 + n % 3).Select(i => new Noted($"{token}#{i}")).ToList();
                var result = await store.AppendAsync(
                    context,
                    isNew ? Guid.CreateVersion7() : own,
                    isNew ? 0 : version,
                    events
                );
                if (result.Conflict is not null)
                    throw new InvalidOperationException($"{token} conflicts: {result.Conflict}");
                if (!isNew)
                    version += events.Count;
                Print(token, result.LastPosition);
            }
            catch (LogUnavailableException)
            {
                Console.WriteLine($"{token} ?");
                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Npgsql.NpgsqlException) when (n % 7 == 6)
            {
                // The document could not be read while the server was away; nothing was appended.
                await Task.Delay(100, CancellationToken.None);
            }
        }
    }

    private static void Print(string token, long position) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{token} {position}"));
}
