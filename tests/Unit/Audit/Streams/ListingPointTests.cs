using Verbatim.Modules.Audit.Streams;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Audit.Streams;

public sealed class ListingPointTests
{
    private static readonly DateTimeOffset Time = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly ListingPoint Point = new(4812, 4001, Time.AddMicroseconds(123_456));
    private static readonly StreamFilter Filter = new("inference", "user:1", Time, null);

    [Fact]
    public void A_cursor_brings_the_point_back()
    {
        Assert.True(ListingPoint.TryRead(Point.ToCursor(Filter), Filter with { }, out var read));

        Assert.Equal(Point, read);
    }

    [Fact]
    public void A_cursor_is_good_for_its_own_filters_only()
    {
        var cursor = Point.ToCursor(Filter);
        StreamFilter[] others =
        [
            Filter with
            {
                Type = null,
            },
            Filter with
            {
                Type = "user",
            },
            Filter with
            {
                Actor = "user:2",
            },
            Filter with
            {
                From = null,
            },
            Filter with
            {
                From = null,
                Before = Time,
            },
            // The texts one after the other are the same.
            Filter with
            {
                Type = "inferenceuser",
                Actor = ":1",
            },
        ];

        Assert.DoesNotContain(others, other => ListingPoint.TryRead(cursor, other, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("4812|4001|1|")]
    [InlineData("-1|4001|639054432001234560|*")]
    [InlineData("4812|4001|9223372036854775807|*")]
    [InlineData("4812|4001|99999999999999999999|*")]
    [InlineData("4812|4001|639054432001234560|*|1")]
    public void What_no_list_gave_is_refused(string inside)
    {
        var cursor = Cursor.Write(inside.Replace("*", Filter.Fingerprint(), StringComparison.Ordinal));

        Assert.False(ListingPoint.TryRead(cursor, Filter, out _));
        Assert.False(ListingPoint.TryRead(inside, Filter, out _));
    }
}
