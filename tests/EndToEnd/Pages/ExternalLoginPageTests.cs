using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Playwright;
using Verbatim.Tests.EndToEnd.Support;
using Verbatim.Tests.Integration;
using Verbatim.Tests.Integration.ExternalIdentity;

namespace Verbatim.Tests.EndToEnd.Pages;

/// <summary>A person who logs in with their organization's identity provider, npm's oidc-provider, from the login page.</summary>
public sealed class ExternalLoginPageTests(VerbatimHost host, Browser browser) : IClassFixture<VerbatimHost>
{
    private static readonly string[] Asked = ["openid", "account:read"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task From_an_application_to_the_provider_and_back_to_the_application(bool scripts)
    {
        await using var issuer = await StartIssuerAsync();
        var name = $"grace-{Guid.NewGuid():N}";
        await issuer.ControlAsync(Account(name));
        await using var application = await ListeningApplication.StartAsync();
        var clientId = await RegisterAsync(application.Callback);
        await using var visit = await browser.VisitAsync(host.Address, scripts ? 1000 : 360, isDark: !scripts, scripts);
        var page = visit.Page;

        await page.GotoAsync(AuthorizePath(clientId, application.Callback, $"{name}@example.org"));
        Assert.Equal($"{name}@example.org", await page.GetByLabel("E-mail address").InputValueAsync());
        await visit.ShowAsync(scripts ? "login-providers" : "login-providers-dark-telephone");
        Assert.True(
            await page.EvaluateAsync<bool>(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        );
        await page.GetByRole(AriaRole.Link, new() { Name = "Go on with Example ID" }).ClickAsync();
        await page.GetByText("The intranet asks for access").First.WaitForAsync();
        await visit.ShowAsync(scripts ? "consent-external" : "consent-external-dark-telephone");
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.GetByText("The application has you back").WaitForAsync();

        Assert.Equal("one", application.Last["state"]);
        Assert.NotEmpty(application.Last["code"]);
        Assert.Empty(visit.Faults);
    }

    [Fact]
    public async Task Whoever_gets_no_access_goes_back_to_the_login_and_keeps_the_way()
    {
        await using var issuer = await StartIssuerAsync(linkPolicy: "inviteOnly");
        await issuer.ControlAsync(Account("mallory"));
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync("/account/second-factor");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Go on with Example ID" }).ClickAsync();
        await visit.ShowAsync("external-no-access");
        var heading = await visit.Page.Locator("h1").TextContentAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Log in another way" }).ClickAsync();
        await visit.Page.GetByLabel("E-mail address").FillAsync(VerbatimHost.AdministratorEmail);
        await visit.Page.GetByLabel("Password").FillAsync(VerbatimHost.AdministratorPassword);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();

        Assert.Equal("You have no access yet", heading);
        Assert.Equal("Second factor", await visit.Page.Locator("h1").TextContentAsync());
        Assert.Empty(visit.Faults);
    }

    private static object Account(string name) =>
        new
        {
            sub = name,
            email = $"{name}@example.org",
            email_verified = true,
        };

    private static string AuthorizePath(string clientId, string redirectUri, string email) =>
        QueryHelpers.AddQueryString(
            "/oauth/authorize",
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["response_type"] = "code",
                ["client_id"] = clientId,
                ["redirect_uri"] = redirectUri,
                ["scope"] = string.Join(' ', Asked),
                ["state"] = "one",
                ["login_hint"] = email,
                ["code_challenge"] = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                ["code_challenge_method"] = "S256",
            }
        );

    // The provider must know where people come back to, and the server who the provider is: one of them comes first.
    private async Task<NodeIssuer> StartIssuerAsync(string linkPolicy = "create")
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var listed = await administrator.GetFromJsonAsync<JsonNode>("/api/identity-providers", Cancellation);
        foreach (var before in listed!["data"]!.AsArray())
            await administrator.DeleteAsync($"/api/identity-providers/{before!["id"]}", Cancellation);
        using var answer = await administrator.PostAsJsonAsync(
            "/api/identity-providers",
            new
            {
                name = "Example ID",
                issuer = "https://later.example.com",
                clientId = NodeIssuer.ClientId,
                clientSecret = NodeIssuer.ClientSecret,
                linkPolicy,
                defaultRole = "user",
            },
            Cancellation
        );
        var provider = await answer.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        var issuer = await NodeIssuer.StartAsync(
            new Uri(host.Address, provider!["redirectPath"]!.GetValue<string>()).ToString()
        );
        using var changed = await administrator.PatchAsJsonAsync(
            $"/api/identity-providers/{provider["id"]}",
            new { issuer = issuer.Issuer },
            Cancellation
        );
        changed.EnsureSuccessStatusCode();
        return issuer;
    }

    private async Task<string> RegisterAsync(string redirectUri)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var answer = await administrator.PostAsJsonAsync(
            "/api/oauth-clients",
            new
            {
                name = "The intranet",
                scopes = Asked,
                redirectUris = new[] { redirectUri },
                tokenEndpointAuthMethod = "none",
            },
            Cancellation
        );
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["client"]!["id"]!.GetValue<string>();
    }
}
