using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Identity.Passwords;

public sealed class PasswordHashingTests : IDisposable
{
    private const int Least = PasswordSettings.MinIterations;

    private readonly PasswordHashing _hashing = new(new PasswordSettings(Least));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _hashing.Dispose();

    [Fact]
    public async Task A_password_fits_its_own_hash_and_no_other()
    {
        var hash = await _hashing.HashAsync("a good long password", Cancellation);

        Assert.Equal(Least, PasswordHashing.RoundsOf(hash));
        Assert.Equal(PasswordCheck.Right, await _hashing.CheckAsync(hash, "a good long password", Cancellation));
        Assert.Equal(PasswordCheck.Wrong, await _hashing.CheckAsync(hash, "A good long password", Cancellation));
        Assert.Equal(PasswordCheck.Wrong, await _hashing.CheckAsync(hash: null, "a good long password", Cancellation));
    }

    [Fact]
    public async Task A_hash_of_fewer_rounds_is_right_and_outdated()
    {
        var old = new PasswordHasher<object>(
            Options.Create(new PasswordHasherOptions { IterationCount = 1000 })
        ).HashPassword(new object(), "a good long password");

        var check = await _hashing.CheckAsync(old, "a good long password", Cancellation);

        Assert.Equal(PasswordCheck.RightAndOutdated, check);
        Assert.Equal(PasswordCheck.Wrong, await _hashing.CheckAsync(old, "another long password", Cancellation));
    }

    [Fact]
    public async Task What_cannot_be_hashed_soon_is_refused_at_once()
    {
        using var gate = new ManualResetEventSlim();
        using var threads = new HashingThreads();
        using var atWork = new SemaphoreSlim(0);
        var accepted = new List<Task<int>>();
        void Fill(int atMost)
        {
            for (var i = 0; i < atMost; i++)
                accepted.Add(
                    threads.RunAsync(
                        () =>
                        {
                            atWork.Release();
                            gate.Wait();
                            return 1;
                        },
                        Cancellation
                    )
                );
        }

        // Each thread is to have its work before the queue is filled: one that starts late would make room again.
        Fill(HashingThreads.Count);
        for (var i = 0; i < HashingThreads.Count; i++)
            await atWork.WaitAsync(Cancellation);
        var busy = Assert.Throws<BusyException>(() => Fill(1000));
        var full = Record.Exception(threads.ThrowIfFull);
        gate.Set();

        Assert.Equal(32 + HashingThreads.Count, accepted.Count);
        Assert.IsType<BusyException>(full);
        Assert.True(busy.RetryAfter > TimeSpan.Zero);
        Assert.All(await Task.WhenAll(accepted), result => Assert.Equal(1, result));
    }

    [Fact]
    public async Task It_is_done_on_threads_of_its_own()
    {
        using var threads = new HashingThreads();

        var isPooled = await threads.RunAsync(() => Thread.CurrentThread.IsThreadPoolThread, Cancellation);

        Assert.False(isPooled);
    }

    [Theory]
    [InlineData("209999")]
    [InlineData("1000")]
    [InlineData("-1")]
    [InlineData("many")]
    [InlineData("10000001")]
    public void Too_few_rounds_are_no_setting(string text) =>
        Assert.Throws<SettingException>(() => PasswordSettings.Read(With(text)));

    [Fact]
    public void More_rounds_are_a_setting() => Assert.Equal(600_000, PasswordSettings.Read(With("600000")).Iterations);

    private static IConfiguration With(string iterations) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>(StringComparer.Ordinal)
                {
                    ["Identity:Passwords:Iterations"] = iterations,
                }
            )
            .Build();
}
