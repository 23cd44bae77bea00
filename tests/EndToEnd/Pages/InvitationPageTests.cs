using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Verbatim.Tests.EndToEnd.Support;
using Verbatim.Tests.Integration;

namespace Verbatim.Tests.EndToEnd.Pages;

/// <summary>What somebody sees who opens the link of an invitation.</summary>
public sealed class InvitationPageTests(VerbatimHost host, Browser browser) : IClassFixture<VerbatimHost>
{
    private const string Password = "several words that only Grace puts together";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_person_chooses_a_password_and_logs_in_with_it()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = NewAddress();
        var link = await InviteAsync(administrator, email);
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync(link);
        await visit.ShowAsync("invitation-new");
        await visit.Page.GetByLabel("What you are called").FillAsync("Grace");
        await visit.Page.GetByLabel("New password").FillAsync("123456789012");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        Assert.Contains("tried first", await visit.Page.Locator("#error").InnerTextAsync(), StringComparison.Ordinal);
        await visit.Page.GetByLabel("What you are called").FillAsync("Grace");
        await visit.Page.GetByLabel("New password").FillAsync(Password);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();

        // Then the login, with the address in its place.
        Assert.Equal(email, await visit.Page.GetByLabel("E-mail address").InputValueAsync());
        Assert.NotEmpty(await host.LogInAsync(email, Password, Cancellation));
        await visit.Page.GotoAsync(link);
        Assert.Contains("was used", await visit.Page.Locator("#error").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Empty(visit.Faults);
    }

    [Fact]
    public async Task Who_has_an_account_logs_in_and_comes_back_to_join()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = NewAddress();
        await AcceptAsync(await InviteAsync(administrator, email));
        using var elsewhere = await EnterNewAsync(administrator, "Elsewhere <b>");
        var link = await InviteAsync(elsewhere, email);
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync(link);
        Assert.Contains("Elsewhere <b>", await visit.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Join" }).CountAsync());
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Log in" }).ClickAsync();
        await visit.Page.GetByLabel("E-mail address").FillAsync(email);
        await visit.Page.GetByLabel("Password").FillAsync(Password);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();

        Assert.Equal("You have joined · Verbatim", await visit.Page.TitleAsync());
        using var person = host.As(await host.LogInAsync(email, Password, Cancellation));
        var mine = await person.GetFromJsonAsync<JsonNode>("/api/me/organizations", Cancellation);
        Assert.Equal(2, mine!["data"]!.AsArray().Count);
        Assert.Empty(visit.Faults);
    }

    private static string NewAddress() => $"{Guid.NewGuid():N}@example.org";

    // The path alone: the browser goes to the host at hand.
    private static async Task<string> InviteAsync(HttpClient inviter, string email)
    {
        using var response = await inviter.PostAsJsonAsync(
            "/api/invitations",
            new { email, role = "user" },
            Cancellation
        );
        var invitation = await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        return new Uri(invitation!["link"]!.GetValue<string>()).PathAndQuery;
    }

    private async Task AcceptAsync(string link)
    {
        using var anyone = host.AsAnyone();
        using var response = await anyone.PostAsJsonAsync(
            "/api/invitations/accept",
            new { token = link.Split('=')[^1], password = Password },
            Cancellation
        );
        response.EnsureSuccessStatusCode();
    }

    private async Task<HttpClient> EnterNewAsync(HttpClient administrator, string name)
    {
        using var made = await administrator.PostAsJsonAsync("/api/organizations", new { name }, Cancellation);
        var organization = await made.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        using var entered = await administrator.PostAsJsonAsync(
            "/api/auth/organization",
            new { organizationId = organization!["id"]!.GetValue<Guid>() },
            Cancellation
        );
        var login = await entered.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        return host.As(login!["accessToken"]!.GetValue<string>());
    }
}
