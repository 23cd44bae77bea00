using System.Net;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Http.Door;

namespace Verbatim.Tests.Unit.Http.Door;

public sealed class DoorSettingsTests
{
    [Fact]
    public void Nothing_is_open_unless_it_is_set()
    {
        var settings = DoorSettings.Read(With());

        Assert.Empty(settings.TrustedProxies);
        Assert.Empty(settings.CorsOrigins);
        Assert.False(settings.CorsCredentials);
        Assert.Equal(0, settings.HstsSeconds);
    }

    [Fact]
    public void Lists_are_read_from_one_text_or_from_several_values()
    {
        var text = DoorSettings.Read(
            With(
                ("Http:TrustedProxies", "10.0.0.0/8, ::1"),
                ("Http:Cors:Origins", "https://a.example,http://b.example:81")
            )
        );
        var values = DoorSettings.Read(With(("Http:TrustedProxies:0", "10.0.0.0/8"), ("Http:TrustedProxies:1", "::1")));

        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("::1/128")], text.TrustedProxies);
        Assert.Equal(text.TrustedProxies, values.TrustedProxies);
        Assert.Equal(["https://a.example", "http://b.example:81"], text.CorsOrigins);
    }

    [Theory]
    [InlineData("Http:Cors:Origins", "app.example.org")]
    [InlineData("Http:Cors:Origins", "https://app.example.org/")]
    [InlineData("Http:Cors:Origins", "https://app.example.org/path")]
    [InlineData("Http:Cors:Origins", "https://*.example.org")]
    [InlineData("Http:Cors:Origins", "null")]
    [InlineData("Http:TrustedProxies", "10.0.0.0/33")]
    [InlineData("Http:TrustedProxies", "proxy.example.org")]
    [InlineData("Http:HstsSeconds", "-1")]
    [InlineData("Http:MaxRequestBytes", "1")]
    [InlineData("Http:Cors:AllowCredentials", "perhaps")]
    public void A_wrong_setting_is_named(string name, string value)
    {
        var error = Assert.Throws<SettingException>(() => DoorSettings.Read(With((name, value))));

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("valid is", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_origin_never_comes_with_cookies() =>
        Assert.Throws<SettingException>(() =>
            DoorSettings.Read(With(("Http:Cors:Origins", "*"), ("Http:Cors:AllowCredentials", "true")))
        );

    [Theory]
    [InlineData("Http:RateLimits:Logins", "0")]
    [InlineData("Http:RateLimits:Resets", "-1")]
    [InlineData("Http:RateLimits:Tokens", "many")]
    public void A_wrong_limit_is_named(string name, string value)
    {
        var error = Assert.Throws<SettingException>(() => new AddressLimits(With((name, value))));

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:3::1", "2001:db8:1:3::/64")]
    public void Limits_count_networks(string address, string network) =>
        Assert.Equal(network, ClientNetwork.Of(IPAddress.Parse(address)));

    private static IConfiguration With(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create<string, string?>(s.Name, s.Value)))
            .Build();
}
