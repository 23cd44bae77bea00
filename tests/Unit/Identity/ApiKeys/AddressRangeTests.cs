using System.Net;
using Verbatim.Modules.Identity.ApiKeys;

namespace Verbatim.Tests.Unit.Identity.ApiKeys;

public sealed class AddressRangeTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.0/104", "11.1.2.3", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    [InlineData("2001:DB8::7", "2001:db8:0:0::7", true)]
    [InlineData("::/0", "10.0.0.1", false)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("0.0.0.0/0", "::ffff:1.2.3.4", true)]
    public void A_range_has_the_addresses_of_its_network(string range, string address, bool expected)
    {
        Assert.True(AddressRange.TryParse(range, out var parsed));

        Assert.Equal(expected, parsed.Contains(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/08")]
    [InlineData("10.0.0.0/8 ")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("fe80::1%1")]
    [InlineData("[::1]")]
    [InlineData("2001:db8::/129")]
    public void What_could_be_taken_for_something_else_is_none(string? text) =>
        Assert.False(AddressRange.TryParse(text, out _));

    [Fact]
    public void A_stored_range_that_cannot_be_read_is_never_left_out() =>
        Assert.Throws<FormatException>(() => AddressRange.ParseAll(["10.0.0.0/8", "nonsense"]));

    [Fact]
    public void A_key_that_is_bound_does_not_work_from_an_unknown_address()
    {
        var terms = new ApiKeyTerms(AddressRange.ParseAll(["0.0.0.0/0"]), new ApiKeyUse());

        Assert.False(terms.Allow(null));
        Assert.True(terms.Allow(IPAddress.Loopback));
    }
}
