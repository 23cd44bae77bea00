using Verbatim.Modules.Identity.Pages;

namespace Verbatim.Tests.Unit.Identity.Pages;

public sealed class HtmlTests
{
    [Fact]
    public void What_is_put_in_is_escaped_between_tags_and_in_attributes()
    {
        const string Evil = "<script>\"'&";

        var html = Html.Of($"<p title=\"{Evil}\">{Evil}</p>").ToString();

        Assert.Equal("<p title=\"&lt;script&gt;&quot;&#x27;&amp;\">&lt;script&gt;&quot;&#x27;&amp;</p>", html);
    }

    [Fact]
    public void Markup_in_markup_stays_as_it_is()
    {
        var inner = Html.Of($"<b>{"a & b"}</b>");

        Assert.Equal("<p><b>a &amp; b</b></p>", Html.Of($"<p>{inner}</p>").ToString());
        Assert.Equal("<b>a &amp; b</b><b>a &amp; b</b>", Html.Join([inner, inner]).ToString());
    }

    [Fact]
    public void A_text_does_not_stand_where_an_attribute_would()
    {
        Assert.Throws<InvalidOperationException>(() => Html.Of($"<input {"onfocus=x"}>"));
        Assert.Throws<InvalidOperationException>(() => Html.Of($"<input value={"x onfocus=y"}>"));
        Assert.Throws<InvalidOperationException>(() => Html.Of($"<p title=\"{Html.Of($"<b>")}\">"));
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("\tjavascript:alert(1)")]
    public void An_address_runs_nothing(string address)
    {
        Assert.Throws<InvalidOperationException>(() => Html.Of($"<a href=\"{address}\">x</a>"));
        Assert.Throws<InvalidOperationException>(() => Html.Of($"<form method=\"post\" action=\"{address}\">"));
    }

    [Theory]
    [InlineData("/login")]
    [InlineData("https://example.org/?a=b")]
    public void An_address_leads_somewhere(string address) =>
        Assert.Contains(address, Html.Of($"<a href=\"{address}\">x</a>").ToString(), StringComparison.Ordinal);
}
