using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// A few threads for work that takes a tenth of a second of a core each time: at most half of the cores, below the others in rank, so that
/// requests that need no password go on as before. What cannot be done soon is refused at once.
/// </summary>
internal sealed partial class HashingThreads : IDisposable
{
    // About four seconds of one thread's work on a machine that has nothing else to do.
    private const int MaxWaiting = 32;

    // Of setpriority(2): which = PRIO_PROCESS with who = 0 is the calling thread on Linux.
    private const int CallingThread = 0;

    // The least weight where all want the processor at once, a seventieth of the others' (sched(7)), and all of it where they do not: with more
    // of it requests lost two fifths of their pace in the benchmark "logins", with this a quarter.
    private const int Niceness = 19;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly BlockingCollection<Action> _work = new(MaxWaiting);

    public HashingThreads()
    {
        for (var i = 0; i < Count; i++)
        {
            var thread = new Thread(Work)
            {
                IsBackground = true,
                Name = "Passwords",
                Priority = ThreadPriority.BelowNormal,
            };
            thread.Start();
        }
    }

    /// <summary>How many there are.</summary>
    public static int Count { get; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>For whoever has work to do before: would more be refused now?</summary>
    /// <exception cref="BusyException">It would.</exception>
    public void ThrowIfFull()
    {
        if (_work.Count >= MaxWaiting)
            throw new BusyException(RetryAfter);
    }

    /// <summary>Runs it on one of the threads.</summary>
    /// <exception cref="BusyException">Too much waits already.</exception>
    public Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isTaken = _work.TryAdd(() =>
        {
            // Who has gone away need not be served.
            if (cancellationToken.IsCancellationRequested)
            {
                result.SetCanceled(cancellationToken);
                return;
            }
            try
            {
                result.SetResult(work());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        });
        return isTaken ? result.Task : throw new BusyException(RetryAfter);
    }

    public void Dispose() => _work.CompleteAdding();

    private void Work()
    {
        // .NET's own priorities do nothing on Linux.
        if (OperatingSystem.IsLinux())
            _ = SetPriority(CallingThread, 0, Niceness);
        foreach (var work in _work.GetConsumingEnumerable())
            work();
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int niceness);
}
