using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>An instance that runs the subscriptions of these tests until its input ends.</summary>
internal sealed class SubscribingProcess : IChildProgram
{
    public async Task<int> RunAsync(string[] args)
    {
        var (connectionString, name) = (args[0], args[1]);
        await using var store = new TestStore(connectionString, patience: TimeSpan.FromSeconds(60));
        await using var running = new RunningSubscriptions(
            store,
            [typeof(OnAnything), typeof(OnNotedInFourLanes)],
            new Applier(name)
        );
        await running.StartAsync();
        Console.WriteLine("running");
        await Console.In.ReadToEndAsync(CancellationToken.None);
        return 0;
    }
}
