using System.Buffers.Text;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Playwright;
using Verbatim.Tests.EndToEnd.Support;
using Verbatim.Tests.Integration;

namespace Verbatim.Tests.EndToEnd.Pages;

/// <summary>A person at a real browser, between an application that really listens and the authorization server.</summary>
public sealed class ConsentPageTests(VerbatimHost host, Browser browser) : IClassFixture<VerbatimHost>
{
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private const string Password = "a password that nobody has";

    private static readonly string[] Asked = ["openid", "account:read"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_person_logs_in_agrees_and_is_not_asked_again(bool scripts)
    {
        await using var application = await ListeningApplication.StartAsync();
        var clientId = await RegisterAsync(application.Callback);
        await using var visit = await browser.VisitAsync(host.Address, 360, scripts: scripts);
        var page = visit.Page;

        await page.GotoAsync(AuthorizePath(clientId, application.Callback, "one"));
        var email = await CreatePersonAsync();
        await LogInAsync(page, email);
        await page.GetByText("The intranet asks for access").First.WaitForAsync();
        Assert.Contains(email, await page.ContentAsync(), StringComparison.Ordinal);
        await visit.ShowAsync("consent");
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await page.GetByText("The application has you back").WaitForAsync();
        var first = application.Last;
        await page.GotoAsync(AuthorizePath(clientId, application.Callback, "two"));
        await page.GetByText("The application has you back").WaitForAsync();
        var second = application.Last;

        Assert.Equal("one", first["state"]);
        Assert.Equal("two", second["state"]);
        Assert.Equal(host.Address.ToString().TrimEnd('/'), first["iss"]);
        Assert.NotEqual(first["code"], second["code"]);
        var token = await ExchangeAsync(clientId, application.Callback, second["code"]);
        using var me = host.As(token);
        var account = await me.GetFromJsonAsync<JsonNode>("/api/me", Cancellation);
        Assert.Equal(email, account!["email"]!.GetValue<string>());
        Assert.Equal(["account:read"], account["scopes"]!.AsArray().Select(s => s!.GetValue<string>()));
        Assert.Empty(visit.Faults);
    }

    [Fact]
    public async Task A_person_who_does_not_agree_goes_back_with_the_error_and_nothing_else()
    {
        await using var application = await ListeningApplication.StartAsync();
        var clientId = await RegisterAsync(application.Callback);
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync(AuthorizePath(clientId, application.Callback, "no"));
        await LogInAsync(visit.Page, await CreatePersonAsync());
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Do not allow" }).ClickAsync();
        await visit.Page.GetByText("The application has you back").WaitForAsync();

        Assert.Equal("access_denied", application.Last["error"]);
        Assert.Equal("no", application.Last["state"]);
        Assert.False(application.Last.ContainsKey("code"));
        Assert.Empty(visit.Faults);
    }

    [Fact]
    public async Task An_address_that_is_not_registered_gets_no_visit()
    {
        await using var application = await ListeningApplication.StartAsync();
        var clientId = await RegisterAsync("https://app.example.com/callback");
        await using var visit = await browser.VisitAsync(host.Address);

        await visit.Page.GotoAsync(AuthorizePath(clientId, application.Callback, "evil"));

        Assert.Equal("This link does not work", await visit.Page.Locator("h1").TextContentAsync());
        Assert.Equal(0, application.Visits);
    }

    private static async Task LogInAsync(IPage page, string email)
    {
        await page.GetByLabel("E-mail address").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
    }

    private static string AuthorizePath(string clientId, string redirectUri, string state) =>
        QueryHelpers.AddQueryString(
            "/oauth/authorize",
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["response_type"] = "code",
                ["client_id"] = clientId,
                ["redirect_uri"] = redirectUri,
                ["scope"] = string.Join(' ', Asked),
                ["state"] = state,
                ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier))),
                ["code_challenge_method"] = "S256",
            }
        );

    // Somebody who has replaced their one-time password already, and is not asked to on the way.
    private async Task<string> CreatePersonAsync()
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"person-{Guid.NewGuid():N}@example.org";
        using var created = await administrator.PostAsJsonAsync(
            "/api/users",
            new { email, role = "user" },
            Cancellation
        );
        var oneTime = (await created.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!["oneTimePassword"]!;
        await host.ChoosePasswordAsync(email, oneTime.GetValue<string>(), Password, Cancellation);
        return email;
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
        var created = await answer.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        return created!["client"]!["id"]!.GetValue<string>();
    }

    private async Task<string> ExchangeAsync(string clientId, string redirectUri, string code)
    {
        using var application = host.AsAnyone();
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["grant_type"] = "authorization_code",
                ["client_id"] = clientId,
                ["redirect_uri"] = redirectUri,
                ["code"] = code,
                ["code_verifier"] = Verifier,
            }
        );
        using var answer = await application.PostAsync("/oauth/token", form, Cancellation);
        var tokens = await answer.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        return tokens!["access_token"]!.GetValue<string>();
    }
}
