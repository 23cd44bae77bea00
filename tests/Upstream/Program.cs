using System.Runtime.InteropServices;

namespace Verbatim.Tests.Upstream;

/// <summary>The fake provider as a process. A named class, so that tests which also start the Host see one <c>Program</c> only.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is not ["--urls", var url] || !FakeProviderOptions.IsLoopback(url, out var listen))
        {
            await Console.Error.WriteLineAsync(
                "usage: --urls http://127.0.0.1:<port>  (one plain http address of this machine; port 0 picks a free one)"
            );
            return 2;
        }

        await using var provider = await FakeProvider.StartAsync(
            new FakeProviderOptions { Listen = listen, Record = false }
        );
        await Console.Out.WriteLineAsync($"listening on {provider.BaseAddress}");

        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await stop.Task;
        return 0;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }
    }
}
