using System.Globalization;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Tests.Unit.Identity.Tokens;

public sealed class VerifiedTokensTests
{
    private static readonly JsonWebKeySet Keys = new();

    [Fact]
    public void Memory_is_bounded_and_keeps_what_is_in_use()
    {
        var tokens = new VerifiedTokens();
        var used = Token();
        tokens.Add(Digest(-1), Keys, used);
        var unused = Token();
        tokens.Add(Digest(-2), Keys, unused);

        for (var i = 0; i < 5 * VerifiedTokens.GenerationSize; i++)
        {
            tokens.Add(Digest(i), Keys, Token());
            if (i % 1000 == 0)
                Assert.True(tokens.TryGet(Digest(-1), Keys, out _));
        }

        Assert.True(tokens.TryGet(Digest(-1), Keys, out var found));
        Assert.Same(used, found);
        Assert.False(tokens.TryGet(Digest(-2), Keys, out _));

        var remembered = Enumerable
            .Range(0, 5 * VerifiedTokens.GenerationSize)
            .Count(i => tokens.TryGet(Digest(i), Keys, out _));
        Assert.InRange(remembered, VerifiedTokens.GenerationSize - 10, 2 * VerifiedTokens.GenerationSize);
    }

    [Fact]
    public void Another_key_set_knows_nothing()
    {
        var tokens = new VerifiedTokens();
        tokens.Add(Digest(1), Keys, Token());
        var others = new JsonWebKeySet();
        Assert.False(tokens.TryGet(Digest(1), others, out _));
        Assert.True(tokens.TryGet(Digest(1), Keys, out _));

        tokens.Add(Digest(2), others, Token());
        Assert.True(tokens.TryGet(Digest(2), others, out _));
        Assert.False(tokens.TryGet(Digest(1), others, out _));
        Assert.False(tokens.TryGet(Digest(1), Keys, out _));
    }

    [Fact]
    public async Task Many_threads_find_only_what_belongs_to_their_key_set()
    {
        var tokens = new VerifiedTokens();
        var sets = new[] { new JsonWebKeySet(), new JsonWebKeySet() };
        var own = sets.Select(_ => Token()).ToArray();
        await Parallel.ForAsync(
            0,
            100_000,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            (i, _) =>
            {
                var set = i / 5000 % 2;
                tokens.Add(Digest(i % 6000), sets[set], own[set]);
                if (tokens.TryGet(Digest(i * 7 % 6000), sets[set], out var found))
                    Assert.Same(own[set], found);
                return ValueTask.CompletedTask;
            }
        );
    }

    private static TokenDigest Digest(int i) => TokenDigest.Of(i.ToString(CultureInfo.InvariantCulture));

    private static AccessToken Token() =>
        new()
        {
            Id = Guid.NewGuid(),
            Subject = Guid.Empty,
            OrganizationId = Guid.Empty,
            ClientId = "console",
            IssuedAt = DateTimeOffset.UnixEpoch,
            NotBefore = DateTimeOffset.UnixEpoch,
            ExpiresAt = DateTimeOffset.UnixEpoch,
        };
}
