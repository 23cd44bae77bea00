using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

public sealed class StreamHeadsTests
{
    private readonly StreamHeads _heads = new(generationSize: 10);

    [Fact]
    public void It_knows_what_was_set_last()
    {
        var stream = NewStream();
        for (var version = 1; version <= 30; version++)
        {
            _heads.Set(stream, version);
            _heads.Set(NewStream(), 1);
            Assert.True(_heads.TryGet(stream, out var known));
            Assert.Equal(version, known);
        }
    }

    [Fact]
    public void It_forgets_what_was_not_written_for_long_and_never_grows()
    {
        var old = NewStream();
        _heads.Set(old, 1);
        var later = Enumerable.Range(0, 1000).Select(_ => NewStream()).ToList();
        foreach (var stream in later)
            _heads.Set(stream, 5);

        Assert.False(_heads.TryGet(old, out _));
        Assert.InRange(later.Count(s => _heads.TryGet(s, out _)), 10, 20);
        Assert.True(_heads.TryGet(later[^1], out _));
    }

    [Fact]
    public void It_tells_tenants_apart_and_can_be_cleared()
    {
        var stream = NewStream();
        _heads.Set(stream, 1);

        Assert.False(_heads.TryGet(stream with { TenantId = Guid.NewGuid() }, out _));
        _heads.Clear();
        Assert.False(_heads.TryGet(stream, out _));
    }

    private static StreamKey NewStream() => new(Guid.CreateVersion7(), Guid.CreateVersion7());
}
