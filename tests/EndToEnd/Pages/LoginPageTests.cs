using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Verbatim.Tests.EndToEnd.Support;
using Verbatim.Tests.Integration;

namespace Verbatim.Tests.EndToEnd.Pages;

public sealed class LoginPageTests(VerbatimHost host, Browser browser) : IClassFixture<VerbatimHost>
{
    private const string NewPassword = "a password that nobody has";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

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
        await AssertFitsAsync(visit);
        Assert.Empty(visit.Faults);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_person_logs_in_chooses_a_password_and_logs_out_with_scripts_or_without(bool scripts)
    {
        var (email, oneTime) = await CreatePersonAsync();
        await using var visit = await browser.VisitAsync(host.Address, 360, scripts: scripts);
        var page = visit.Page;

        await page.GotoAsync("/account");
        await LogInAsync(page, email, oneTime);
        Assert.Equal("Choose a password", await HeadingAsync(page));
        await visit.ShowAsync("choose-password");
        await page.GetByLabel("Current password").FillAsync(oneTime);
        await page.GetByLabel("New password").FillAsync(NewPassword);
        await page.GetByRole(AriaRole.Button, new() { Name = "Change it" }).ClickAsync();

        Assert.Equal("Your account", await HeadingAsync(page));
        Assert.Contains(email, await page.ContentAsync(), StringComparison.Ordinal);
        await visit.ShowAsync("account");
        await page.GetByRole(AriaRole.Link, new() { Name = "Log out" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        Assert.Equal("You are logged out.", await page.GetByRole(AriaRole.Status).TextContentAsync());
        await page.GotoAsync("/account");
        Assert.Equal("Log in", await HeadingAsync(page));
        Assert.Empty(visit.Faults);
    }

    [Fact]
    public async Task A_wrong_password_is_said_aloud_and_the_address_stays()
    {
        await using var visit = await browser.VisitAsync(host.Address);
        await visit.Page.GotoAsync("/login");

        await LogInAsync(visit.Page, VerbatimHost.AdministratorEmail, "not the password at all");
        await visit.ShowAsync("login-wrong");

        Assert.Equal(
            "The address or the password is wrong.",
            await visit.Page.GetByRole(AriaRole.Alert).TextContentAsync()
        );
        Assert.Equal(VerbatimHost.AdministratorEmail, await visit.Page.GetByLabel("E-mail address").InputValueAsync());
        Assert.Equal("", await visit.Page.GetByLabel("Password").InputValueAsync());
        Assert.Equal("password", await visit.Page.EvaluateAsync<string>("document.activeElement.id"));
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("/%09/evil.example")]
    public async Task A_login_never_leads_to_another_server(string returnTo)
    {
        var (email, _) = await CreatePersonAsync(NewPassword);
        await using var visit = await browser.VisitAsync(host.Address);
        await visit.Page.GotoAsync("/login?returnTo=" + returnTo);

        await LogInAsync(visit.Page, email, NewPassword);

        Assert.Equal(host.Address.Authority, new Uri(visit.Page.Url).Authority);
    }

    [Fact]
    public async Task A_second_factor_is_set_up_and_then_asked_for()
    {
        var (email, _) = await CreatePersonAsync(NewPassword);
        await using var visit = await browser.VisitAsync(host.Address, 360);
        var page = visit.Page;
        await page.GotoAsync("/account/second-factor");
        await LogInAsync(page, email, NewPassword);

        await page.GetByLabel("Your password").FillAsync(NewPassword);
        await page.GetByRole(AriaRole.Button, new() { Name = "Set it up" }).ClickAsync();
        await visit.ShowAsync("second-factor-scan");
        var isDrawn = await page.GetByAltText("QR code for your authenticator app")
            .EvaluateAsync<bool>("image => image.complete && image.naturalWidth > 100");
        var secret = (await page.Locator("#secret").TextContentAsync())!;
        var codes = new Authenticator(secret);
        await page.GetByLabel("The code that it shows").FillAsync("000000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Enable it" }).ClickAsync();
        Assert.Contains(
            "The code is wrong",
            await page.GetByRole(AriaRole.Alert).TextContentAsync(),
            StringComparison.Ordinal
        );
        await page.GetByLabel("The code that it shows").FillAsync(codes.Next());
        await page.GetByRole(AriaRole.Button, new() { Name = "Enable it" }).ClickAsync();
        await visit.ShowAsync("second-factor-codes");
        var recoveryCodes = await page.Locator(".codes li").AllTextContentsAsync();
        await AssertFitsAsync(visit);

        await using var later = await browser.VisitAsync(host.Address, isDark: true);
        await later.Page.GotoAsync("/login?returnTo=/account");
        await LogInAsync(later.Page, email, NewPassword);
        Assert.Equal("Second factor", await HeadingAsync(later.Page));
        await later.ShowAsync("second-factor-asked");
        await ProveAsync(later.Page, "000000");
        var error = await later.Page.GetByRole(AriaRole.Alert).TextContentAsync();
        await ProveAsync(later.Page, codes.Next());
        Assert.Equal("Your account", await HeadingAsync(later.Page));

        await using var last = await browser.VisitAsync(host.Address);
        await last.Page.GotoAsync("/login");
        await LogInAsync(last.Page, email, NewPassword);
        await ProveAsync(last.Page, recoveryCodes[0]);
        Assert.Equal("Your account", await HeadingAsync(last.Page));

        Assert.True(isDrawn);
        Assert.Equal(10, recoveryCodes.Count);
        Assert.Contains("was used before", error, StringComparison.Ordinal);
        Assert.Empty(visit.Faults.Concat(later.Faults).Concat(last.Faults));
    }

    [Fact]
    public async Task A_link_of_the_administrator_lets_a_person_choose_a_password()
    {
        var (email, _) = await CreatePersonAsync();
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var people = await administrator.GetFromJsonAsync<JsonNode>("/api/users?limit=200", Cancellation);
        var id = people!["data"]!.AsArray().Single(u => u!["email"]!.GetValue<string>() == email)!["id"];
        using var offered = await administrator.PostAsync($"/api/users/{id}/password-reset", null, Cancellation);
        var link = (await offered.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["link"]!.GetValue<string>();
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync(new Uri(link).PathAndQuery);
        await visit.Page.GetByLabel("New password").FillAsync("Password2026!");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Change it" }).ClickAsync();
        var weakness = await visit.Page.GetByRole(AriaRole.Alert).TextContentAsync();
        await visit.Page.GetByLabel("New password").FillAsync(NewPassword);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Change it" }).ClickAsync();
        var done = await visit.Page.GetByRole(AriaRole.Status).TextContentAsync();
        await LogInAsync(visit.Page, email, NewPassword);
        var heading = await HeadingAsync(visit.Page);
        await visit.Page.GotoAsync(new Uri(link).PathAndQuery);
        var again = await visit.Page.GetByRole(AriaRole.Alert).TextContentAsync();

        Assert.Contains("tried first", weakness, StringComparison.Ordinal);
        Assert.Contains("is changed", done, StringComparison.Ordinal);
        Assert.Equal("Your account", heading);
        Assert.Contains("was used before", again, StringComparison.Ordinal);
        Assert.Empty(visit.Faults);
    }

    [Fact]
    public async Task The_reference_of_the_api_still_runs_under_the_headers_of_the_door()
    {
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync("/docs/index.html");
        await visit.Page.GetByText("/api/auth/login").First.WaitForAsync();

        Assert.Empty(visit.Faults);
    }

    private static async Task LogInAsync(IPage page, string email, string password)
    {
        await page.GetByLabel("E-mail address").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
    }

    private static async Task ProveAsync(IPage page, string code)
    {
        await page.GetByLabel("Code").FillAsync(code);
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
    }

    private static Task<string?> HeadingAsync(IPage page) => page.Locator("h1").TextContentAsync();

    private static async Task AssertFitsAsync(Visit visit) =>
        Assert.True(
            await visit.Page.EvaluateAsync<bool>(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        );

    private async Task<(string Email, string OneTimePassword)> CreatePersonAsync(string? password = null)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"person-{Guid.NewGuid():N}@example.org";
        using var created = await administrator.PostAsJsonAsync(
            "/api/users",
            new { email, role = "user" },
            Cancellation
        );
        var oneTime = (await created.Content.ReadFromJsonAsync<JsonNode>(Cancellation))![
            "oneTimePassword"
        ]!.GetValue<string>();
        if (password is not null)
            await host.ChoosePasswordAsync(email, oneTime, password, Cancellation);
        return (email, oneTime);
    }
}
