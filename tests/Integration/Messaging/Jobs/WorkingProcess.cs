using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging.Jobs;

/// <summary>An instance that does the jobs of these tests until its input ends.</summary>
internal sealed class WorkingProcess : IChildProgram
{
    public async Task<int> RunAsync(string[] args)
    {
        await using var store = new TestStore(args[0], patience: TimeSpan.FromSeconds(60));
        await using var running = new RunningJobs(store, new Worker(args[1]));
        await running.StartAsync();
        Console.WriteLine("running");
        await Console.In.ReadToEndAsync(CancellationToken.None);
        return 0;
    }
}
