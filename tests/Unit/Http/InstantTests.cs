using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Http;

public sealed class InstantTests
{
    [Theory]
    [InlineData("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000")]
    [InlineData("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000000")]
    [InlineData("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500000")]
    [InlineData("2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.123456")]
    [InlineData("2026-01-31T12:00:00-05:00", "2026-01-31T17:00:00.000000")]
    [InlineData("2026-01-31T00:30:00+01:00", "2026-01-30T23:30:00.000000")]
    [InlineData("2026-01-31T00:30:00.25-00:00", "2026-01-31T00:30:00.250000")]
    [InlineData("2024-02-29T23:59:59.999999+23:59", "2024-02-29T00:00:59.999999")]
    public void An_rfc_3339_time_is_read(string text, string expected)
    {
        Assert.True(Instant.TryParse(text, out var instant));

        Assert.Equal(expected, Text(instant.Floor));
        Assert.Equal(instant.Floor, instant.Ceiling);
    }

    // A plus sign that was not escaped in a URL.
    [Fact]
    public void A_space_stands_for_a_plus()
    {
        Assert.True(Instant.TryParse("2026-01-31T00:30:00 01:00", out var instant));

        Assert.Equal("2026-01-30T23:30:00.000000", Text(instant.Floor));
    }

    [Theory]
    [InlineData("2026-01-31T12:00:00.1234567Z")]
    [InlineData("2026-01-31T12:00:00.123456000000001Z")]
    [InlineData("2026-01-31T13:00:00.123456999+01:00")]
    public void A_time_between_two_microseconds_knows_both(string text)
    {
        Assert.True(Instant.TryParse(text, out var instant));

        Assert.Equal("2026-01-31T12:00:00.123456", Text(instant.Floor));
        Assert.Equal("2026-01-31T12:00:00.123457", Text(instant.Ceiling));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T12:00:00")]
    [InlineData("2026-01-31T12:00Z")]
    [InlineData("2026-01-31 12:00:00Z")]
    [InlineData("2026-02-30T12:00:00Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T12:00:60Z")]
    [InlineData("2026-01-31T12:00:00.Z")]
    [InlineData("2026-01-31T12:00:00,5Z")]
    [InlineData("2026-01-31T12:00:00.12345x7Z")]
    [InlineData("2026-01-31T12:00:00.1234567x8Z")]
    [InlineData("2026-01-31T12:00:00+0100")]
    [InlineData("2026-01-31T12:00:00+24:00")]
    [InlineData("2026-01-31T12:00:00+1:00")]
    [InlineData(" 2026-01-31T12:00:00Z")]
    [InlineData("2026-01-31T12:00:00Z ")]
    [InlineData("0001-01-01T00:00:00+10:00")]
    [InlineData("9999-12-31T23:59:59.9999999Z")]
    [InlineData("２０２６-01-31T12:00:00Z")]
    [InlineData("2026-01-31T12:00:00.00000000000000000000000000000000000000000000000Z")]
    public void Anything_else_is_refused(string? text)
    {
        Assert.False(Instant.TryParse(text, out _));
    }

    [Fact]
    public void Every_microsecond_is_read_as_it_is_written()
    {
        var micros = Gen.Choose(0, int.MaxValue).Two().Select(p => ((long)p.Item1 << 24) + p.Item2).ToArbitrary();
        Prop.ForAll(
                micros,
                offset.ToArbitrary(),
                (at, minutes) =>
                {
                    var time = DateTimeOffset.UnixEpoch.AddMicroseconds(at).ToOffset(TimeSpan.FromMinutes(minutes));
                    var text = time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture);
                    return Instant.TryParse(text, out var read) && read.Floor == time && read.Ceiling == time;
                }
            )
            .QuickCheckThrowOnFailure();
    }

    private static readonly Gen<int> offset = Gen.Choose(-839, 839);

    private static string Text(DateTimeOffset time)
    {
        Assert.Equal(TimeSpan.Zero, time.Offset);
        return time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
    }
}
