using Verbatim.Modules.Identity.Pages;

namespace Verbatim.Tests.Unit.Identity.Pages;

public sealed class LocalPathTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/console?tab=keys#top")]
    [InlineData("/oauth/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb")]
    public void A_path_of_this_server_is_taken_as_it_is(string text) =>
        Assert.Equal(text, LocalPath.OrRoot(text).Value);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("console")]
    [InlineData("//evil.example")]
    [InlineData("///evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("/\n/evil.example")]
    [InlineData("/a\r\nLocation: https://evil.example")]
    [InlineData(" //evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("https:/evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/\u2028/evil.example")]
    [InlineData("@evil.example")]
    public void Whatever_could_lead_elsewhere_leads_to_the_root(string? text) =>
        Assert.Equal(LocalPath.Root, LocalPath.OrRoot(text));

    [Fact]
    public void A_path_survives_the_way_through_a_page()
    {
        Assert.True(LocalPath.TryParse("/oauth/authorize?a=b&c=d%20e", out var path));

        Assert.Equal("/login?returnTo=%2Foauth%2Fauthorize%3Fa%3Db%26c%3Dd%2520e", path.AsReturnOf("/login"));
    }
}
