using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Verbatim.Tests.Benchmarks;
using Verbatim.Tests.Benchmarks.Events;
using Verbatim.Tests.Benchmarks.Evidence;
using Verbatim.Tests.Benchmarks.Gateway;
using Verbatim.Tests.Benchmarks.Identity;

// dotnet run -c Release --project tests/Benchmarks -- [gateway] [first-byte] [translation] [idle-streams] [large-bodies] [relay] [appends] [replay] [evidence] [verify] [subscriptions] [authentication] [logins] [startup] [memory] [--quick]
var isQuick = args.Contains("--quick", StringComparer.Ordinal);
var benchmarks = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
{
    ["gateway"] = () =>
        new GatewayBenchmark(isQuick ? 1 : 3, TimeSpan.FromSeconds(isQuick ? 3 : 6)).RunAsync(Console.Out),
    ["first-byte"] = () => new FirstByteBenchmark(isQuick ? 200 : 2000).RunAsync(Console.Out),
    ["translation"] = () =>
        new TranslationBenchmark(isQuick ? 1 : 3, TimeSpan.FromSeconds(isQuick ? 3 : 6)).RunAsync(Console.Out),
    ["idle-streams"] = () => new IdleStreamsBenchmark(isQuick ? 500 : 2000).RunAsync(Console.Out),
    ["large-bodies"] = () => new LargeBodyBenchmark(24, isQuick ? 2 : 4).RunAsync(Console.Out),
    ["relay"] = () =>
    {
        BenchmarkRunner.Run<RelayBenchmark>(
            ManualConfig
                .Create(DefaultConfig.Instance)
                .AddJob((isQuick ? Job.Dry : Job.ShortRun).WithToolchain(InProcessNoEmitToolchain.Instance))
                .WithArtifactsPath(Path.Combine(Repository.Cache, "benchmarks"))
        );
        return Task.CompletedTask;
    },
    ["appends"] = () =>
        new AppendBenchmark(isQuick ? 1 : 5, TimeSpan.FromSeconds(isQuick ? 2 : 4)).RunAsync(Console.Out),
    ["replay"] = () => new ReplayBenchmark(isQuick ? 1 : 5, isQuick ? 50_000 : 400_000).RunAsync(Console.Out),
    ["evidence"] = () =>
        new EvidenceBenchmark(
            isQuick ? 1 : 7,
            TimeSpan.FromSeconds(isQuick ? 2 : 5),
            isQuick ? 50_000 : 1_000_000,
            isQuick ? 500 : 5_000
        ).RunAsync(Console.Out),
    ["verify"] = () => new VerifyBenchmark(isQuick ? 1 : 5, isQuick ? 50_000 : 400_000).RunAsync(Console.Out),
    ["subscriptions"] = () =>
        new SubscriptionBenchmark(isQuick ? 1 : 5, isQuick ? 50_000 : 400_000).RunAsync(Console.Out),
    ["authentication"] = () =>
        new AuthenticationBenchmark(isQuick ? 3 : 9, TimeSpan.FromSeconds(isQuick ? 2 : 4)).RunAsync(Console.Out),
    ["logins"] = () =>
        new LoginsBenchmark(isQuick ? 1 : 5, TimeSpan.FromSeconds(isQuick ? 4 : 8)).RunAsync(Console.Out),
    ["startup"] = () => new StartupBenchmark(isQuick ? 1 : 5).RunAsync(Console.Out),
    ["memory"] = () => new MemoryBenchmark(isQuick ? 20_000 : 200_000).RunAsync(Console.Out),
};

var wanted = args.Where(a => !a.StartsWith('-')).ToList();
if (wanted.Find(w => !benchmarks.ContainsKey(w)) is { } unknown)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown}'; there are {string.Join(", ", benchmarks.Keys)}.");
    return 2;
}
foreach (var (name, run) in benchmarks.Where(b => wanted.Count == 0 || wanted.Contains(b.Key, StringComparer.Ordinal)))
{
    Console.WriteLine($"# {name}");
    await run();
    Console.WriteLine();
}
return 0;
