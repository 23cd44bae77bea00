using Verbatim.Tests.EndToEnd.Support;
using Verbatim.Tests.Integration;

namespace Verbatim.Tests.EndToEnd.Pages;

public sealed class LoginPageTests(VerbatimHost host, Browser browser) : IClassFixture<VerbatimHost>
{
    [Theory]
    [InlineData(1000, false)]
    [InlineData(1000, true)]
    [InlineData(360, false)]
    public async Task The_page_is_whole_in_any_light_and_on_a_telephone(int width, bool isDark)
    {
        await using var visit = await browser.VisitAsync(host.Address, width, isDark);

        var response = await visit.Page.GotoAsync("/login");
        await visit.ShowAsync($"login-{width}-{(isDark ? "dark" : "light")}");

        Assert.Equal(200, response!.Status);
        Assert.Equal("Log in · Verbatim", await visit.Page.TitleAsync());
        Assert.True(await visit.Page.GetByLabel("E-mail address").IsVisibleAsync());
        Assert.Equal("email", await visit.Page.EvaluateAsync<string>("document.activeElement.id"));
        // The style sheet came, although the policy allows little.
        var ground = await visit.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        Assert.Equal(isDark ? "rgb(18, 19, 26)" : "rgb(243, 244, 248)", ground);
        Assert.True(
            await visit.Page.EvaluateAsync<bool>(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        );
        Assert.Empty(visit.Faults);
    }
}
