using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class LeafEncodingTests
{
    /// <summary>The worked example of docs/event-log.md: its bytes and its hash are read from there.</summary>
    [Fact]
    public void The_worked_example_of_the_documentation_is_right()
    {
        var page = File.ReadAllText(Path.Combine(Repository(), "docs", "event-log.md"));
        var example = page[page.IndexOf("<!-- example -->", StringComparison.Ordinal)..];
        var block = example.Split("```")[1];
        // Each line: hexadecimal bytes, two spaces or more, what they are.
        var leaf = Convert.FromHexString(
            string.Concat(
                block.Split('\n').Skip(1).Select(line => line.Split("  ")[0].Replace(" ", "", StringComparison.Ordinal))
            )
        );
        var hash = example.Split("SHA-256: `")[1].Split('`')[0];

        var recorded = Event(
            position: 7,
            time: new DateTimeOffset(2026, 3, 1, 12, 30, 15, TimeSpan.Zero).AddMicroseconds(250_001),
            data: """{"by":2}"""u8.ToArray()
        );

        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(leaf)));
        Assert.Equal(hash, Convert.ToHexStringLower(Hash(recorded)));
    }

    [Fact]
    public void Each_field_counts()
    {
        var hashes = new[]
        {
            Event(),
            Event(position: 8),
            Event(tenant: Guid.Empty),
            Event(stream: Guid.Empty),
            Event(streamType: "tall"),
            Event(version: 4),
            Event(type: "test.count"),
            Event(typeVersion: 2),
            Event(time: DateTimeOffset.UnixEpoch.AddMicroseconds(1)),
            Event(actor: "system:tes"),
            Event(correlation: "r-12"),
            Event(data: "{}"u8.ToArray()),
            // A character that moves from one field to the next is a change too.
            Event(actor: "system:testr", correlation: "-1"),
            Event(streamType: "tallyt", type: "est.counted"),
        }.Select(e => Convert.ToHexString(Hash(e)));

        Assert.Distinct(hashes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64 * 1024)]
    [InlineData(64 * 1024 + 1)]
    [InlineData(5_000_000)]
    public void Long_data_is_hashed_like_short_data(int length)
    {
        var data = new byte[length];
        new Random(length).NextBytes(data);
        var recorded = Event(data: data);

        Assert.Equal(Reference(recorded), Hash(recorded));
    }

    [Fact]
    public void Any_event_is_hashed_as_the_page_says()
    {
        var texts = ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => s.Get);
        var events =
            from position in Gen.Choose(1, int.MaxValue)
            from version in Gen.Choose(1, int.MaxValue)
            from actor in texts
            from correlation in texts
            from data in ArbMap.Default.GeneratorFor<byte[]>()
            select Event(position, version: version, actor: actor, correlation: correlation, data: data);

        Check.One(
            Config.QuickThrowOnFailure.WithQuietOnSuccess(true),
            Prop.ForAll(Arb.From(events), e => Reference(e).AsSpan().SequenceEqual(Hash(e)))
        );
    }

    // The same by other means: text first, then bytes.
    private static byte[] Reference(RecordedEvent recorded)
    {
        static string U(long value, int bytes) => value.ToString("x16", null)[(16 - 2 * bytes)..];
        static string Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            return U(bytes.Length, 2) + Convert.ToHexString(bytes);
        }

        var microseconds = (recorded.Time - DateTimeOffset.UnixEpoch).Ticks / 10;
        var hex =
            "0001"
            + U(recorded.Position, 8)
            + recorded.TenantId.ToString("N")
            + recorded.StreamId.ToString("N")
            + Text(recorded.StreamType)
            + U(recorded.Version, 8)
            + Text(recorded.Type)
            + U(recorded.TypeVersion, 2)
            + U(microseconds, 8)
            + Text(recorded.Actor)
            + Text(recorded.Correlation)
            + U(recorded.Data.Length, 4)
            + Convert.ToHexString(recorded.Data.Span);
        return SHA256.HashData(Convert.FromHexString(hex));
    }

    private static byte[] Hash(RecordedEvent recorded) => recorded.HashLeaf();

    private static RecordedEvent Event(
        long position = 7,
        Guid? tenant = null,
        Guid? stream = null,
        string streamType = "tally",
        long version = 3,
        string type = "test.counted",
        int typeVersion = 1,
        DateTimeOffset? time = null,
        string actor = "system:test",
        string correlation = "r-1",
        byte[]? data = null
    ) =>
        new()
        {
            Position = position,
            TenantId = tenant ?? Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"),
            StreamId = stream ?? Guid.Parse("0195a1b2-c3d4-7e5f-8071-8293a4b5c6d7"),
            StreamType = streamType,
            Version = version,
            Type = type,
            TypeVersion = typeVersion,
            Time = time ?? DateTimeOffset.UnixEpoch,
            Actor = actor,
            Correlation = correlation,
            Data = data ?? """{"by":2}"""u8.ToArray(),
            LeafHash = default,
        };

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Monolith.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
