using System.Buffers.Binary;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

public sealed class AppendPlanTests
{
    private readonly AppendPlan _plan = new();

    [Fact]
    public void Positions_go_on_from_the_head_and_versions_from_what_was_expected()
    {
        _plan.Begin(new LogHead(41, 1_000, 1), time: 2_000);
        _plan.Accept(Append(Stream(expected: 3, "a", "b"), Stream(expected: 0, "c")));
        _plan.Accept(Append(Stream(expected: 9, "d")));

        Assert.Equal([(42L, 4L), (43, 5), (44, 1), (45, 10)], _plan.Rows.Select(r => (r.Position, r.Version)));
        Assert.Equal(new LogHead(45, 2_000, 1), _plan.Result);
    }

    [Fact]
    public void Time_does_not_fall_behind_the_head()
    {
        _plan.Begin(new LogHead(41, 5_000, 1), time: 4_000);

        Assert.Equal(5_000, _plan.Time);
    }

    [Fact]
    public async Task Each_append_is_told_its_own_last_position()
    {
        _plan.Begin(new LogHead(10, 0, 1), time: 1);
        var (one, two, stale) = (Append(Stream(0, "a", "b")), Append(Stream(0, "c")), Append(Stream(0, "d")));
        _plan.Accept(one);
        _plan.Refuse(stale, new VersionConflict(Guid.Empty, 0, 2));
        _plan.Accept(two);
        Assert.False(stale.Task.IsCompleted);

        _plan.Complete();

        var time = DateTimeOffset.UnixEpoch.AddMicroseconds(1);
        Assert.Equal(new AppendResult(12, time, null), await one.Task);
        Assert.Equal(new AppendResult(13, time, null), await two.Task);
        Assert.Equal(new VersionConflict(Guid.Empty, 0, 2), (await stale.Task).Conflict);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(70_000)]
    [InlineData(5_000_000)]
    public void The_binary_copy_has_every_field_of_every_row(int length)
    {
        var text = new string('é', length / 2);
        for (var round = 0; round < 2; round++)
        {
            _plan.Begin(new LogHead(0, 0, 1), time: 1_700_000_000_123_456);
            _plan.Accept(Append(Stream(0, text, "x"), Stream(5, "y")));

            using var sent = new MemoryStream();
            _plan.EncodeCopy().WriteTo(sent);
            var rows = ReadCopy(sent.ToArray());
            Assert.Equal(3, rows.Count);
            Assert.All(rows, r => Assert.Equal(12, r.Count));
            Assert.Equal(_plan.Rows[2].Stream.StreamId, new Guid(rows[2][1], bigEndian: true));
            Assert.Equal([1L, 2, 6], rows.Select(r => BinaryPrimitives.ReadInt64BigEndian(r[2])));
            Assert.Equal([1L, 2, 3], rows.Select(r => BinaryPrimitives.ReadInt64BigEndian(r[3])));
            Assert.Equal(
                new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMicroseconds(
                    BinaryPrimitives.ReadInt64BigEndian(rows[0][4])
                ),
                DateTime.UnixEpoch.AddMicroseconds(1_700_000_000_123_456)
            );
            Assert.Equal(text, Encoding.UTF8.GetString(rows[0][10]));
            Assert.Equal(_plan.HashOf(2).ToArray(), rows[2][11]);
        }
    }

    // PostgreSQL documentation, COPY, "Binary Format".
    private static List<List<byte[]>> ReadCopy(ReadOnlySpan<byte> copy)
    {
        Assert.True(copy.StartsWith("PGCOPY\n\u00ff\r\n\0"u8[..7]));
        var at = 19;
        var rows = new List<List<byte[]>>();
        while (BinaryPrimitives.ReadInt16BigEndian(copy[at..]) is >= 0 and var fields)
        {
            at += 2;
            var row = new List<byte[]>();
            for (var i = 0; i < fields; i++)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(copy[at..]);
                row.Add(copy.Slice(at + 4, length).ToArray());
                at += 4 + length;
            }
            rows.Add(row);
        }
        Assert.Equal(at + 2, copy.Length);
        return rows;
    }

    private static PendingAppend Append(params StreamAppend[] streams) => new(streams, []);

    private static StreamAppend Stream(long expected, params string[] data) =>
        new()
        {
            Context = new AppendContext(Guid.NewGuid(), "system:test", "r-1"),
            StreamType = "tally",
            StreamId = Guid.NewGuid(),
            ExpectedVersion = expected,
            Events = [.. data.Select(d => new EncodedEvent("test.noted", 1, Encoding.UTF8.GetBytes(d)))],
        };
}
