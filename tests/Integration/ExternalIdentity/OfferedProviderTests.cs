using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.OAuth;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.ExternalIdentity;

/// <summary>Which identity providers the login page offers, and to whom.</summary>
public sealed class OfferedProviderTests(SharedPostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_offers_those_of_the_organization_that_it_is_for_and_no_others()
    {
        await using var host = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var first = await host.AsAdministratorAsync(Cancellation);
        using var second = await OAuthDance.EnterNewOrganizationAsync(host);
        var (firstId, secondId) = (await OrganizationOfAsync(first), await OrganizationOfAsync(second));
        using var firstApplication = await OAuthDance.StartAsync(host, first);
        using var secondApplication = await OAuthDance.StartAsync(host, second);

        Assert.Empty(await OffersAsync(host, "/login"));
        var ours = await RegisterAsync(first, "Our <b>ID</b>");
        Assert.Equal([ours], await OffersAsync(host, "/login"));
        var page = await PageAsync(host, "/login");
        Assert.Contains("Go on with Our &lt;b&gt;ID&lt;/b&gt;", page, StringComparison.Ordinal);

        // With several organizations the page does not guess; with one that is named it shows that one's alone.
        var theirs = await RegisterAsync(second, "Their ID");
        Assert.Empty(await OffersAsync(host, "/login"));
        Assert.Equal([ours], await OffersAsync(host, $"/login?organization={firstId}"));
        Assert.Equal([theirs], await OffersAsync(host, $"/login?organization={secondId}"));
        Assert.Empty(await OffersAsync(host, $"/login?organization={Guid.CreateVersion7()}"));
        Assert.Empty(await OffersAsync(host, "/login?organization=%22%3E%3Cscript%3E"));

        // An application is for the people of its own organization, whatever else the address says.
        Assert.Equal([ours], await OffersAsync(host, LoginFor(firstApplication, secondId)));
        Assert.Equal([theirs], await OffersAsync(host, LoginFor(secondApplication, organization: null)));
        var link = Attribute(await PageAsync(host, LoginFor(secondApplication, null)), "href=\"/login/external/");
        Assert.Contains(Uri.EscapeDataString(secondApplication.AuthorizeUrl()), link, StringComparison.Ordinal);

        await second.PatchJsonAsync($"/api/identity-providers/{theirs}", new { isEnabled = false });
        Assert.Empty(await OffersAsync(host, $"/login?organization={secondId}"));
        Assert.Equal([ours], await OffersAsync(host, "/login"));
        await second.PatchJsonAsync($"/api/identity-providers/{theirs}", new { isEnabled = true });
        await first.PostJsonAsync($"/api/organizations/{secondId}/suspension", body: null, HttpStatusCode.OK);
        Assert.Empty(await OffersAsync(host, $"/login?organization={secondId}"));
        await first.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/identity-providers/{ours}",
            body: null,
            HttpStatusCode.NoContent
        );
        Assert.Empty(await OffersAsync(host, "/login"));
    }

    [Fact]
    public async Task A_failed_attempt_keeps_the_offer_and_the_way_back_and_says_the_same_of_every_address()
    {
        await using var host = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var ours = await RegisterAsync(administrator, "Our ID");
        using var second = await OAuthDance.EnterNewOrganizationAsync(host);
        await RegisterAsync(second, "Their ID");
        var organization = await OrganizationOfAsync(administrator);

        var answers = new List<string>();
        foreach (var email in (string[])[VerbatimHost.AdministratorEmail, "admin@localhosu"])
        {
            using var browser = new HttpClient(
                new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
            )
            {
                BaseAddress = host.Address,
            };
            var form = await browser.GetStringAsync(
                new Uri($"/login?organization={organization}&returnTo=%2Fdocs", UriKind.Relative),
                Cancellation
            );
            using var content = new FormUrlEncodedContent(
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["formToken"] = Attribute(form, "name=\"formToken\" value=\""),
                    ["organization"] = Attribute(form, "name=\"organization\" value=\""),
                    ["returnTo"] = Attribute(form, "name=\"returnTo\" value=\""),
                    ["email"] = email,
                    ["password"] = "not the password at all",
                }
            );
            using var answer = await browser.PostAsync(new Uri("/login", UriKind.Relative), content, Cancellation);
            var text = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal([ours], Offers(text));
            Assert.Contains($"/login/external/{ours}?returnTo=%2Fdocs", text, StringComparison.Ordinal);
            answers.Add(
                text.Replace(email, "ADDRESS", StringComparison.Ordinal)
                    .Replace(Attribute(text, "name=\"formToken\" value=\""), "TOKEN", StringComparison.Ordinal)
            );
        }

        Assert.Equal(answers[0], answers[1]);
    }

    [Theory]
    [InlineData("ada@example.org", "ada@example.org")]
    [InlineData("o'neil+x@example.org", "o&#x27;neil&#x2B;x@example.org")]
    [InlineData("ada@bücher.example", "ada@xn--bcher-kva.example")]
    [InlineData("\"><script>alert(1)</script>@example.org", "")]
    [InlineData("ada", "")]
    [InlineData("Ada <ada@example.org>", "")]
    [InlineData("ada@example.org\r\nx", "")]
    [InlineData("Your password is wrong, call +1 555 0100", "")]
    public async Task The_hint_of_an_application_fills_the_address_and_nothing_else_does(string hint, string shown)
    {
        await using var host = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var application = await OAuthDance.StartAsync(host);
        using var anyone = host.AsAnyone();
        using var sent = await anyone.GetAsync(
            new Uri(application.AuthorizeUrl(("login_hint", hint)), UriKind.Relative),
            Cancellation
        );

        var page = await PageAsync(host, sent.Headers.Location!.ToString());

        Assert.Equal(shown, Attribute(page[page.IndexOf("id=\"email\"", StringComparison.Ordinal)..], "value=\""));
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    private static async Task<string> OrganizationOfAsync(HttpClient client) =>
        (await client.GetJsonAsync("/api/me"))["organizationId"]!.GetValue<string>();

    private static string LoginFor(OAuthDance application, string? organization) =>
        $"/login?returnTo={Uri.EscapeDataString(application.AuthorizeUrl())}"
        + (organization is null ? "" : $"&organization={organization}");

    private static async Task<string> RegisterAsync(HttpClient administrator, string name)
    {
        var created = await administrator.PostJsonAsync(
            "/api/identity-providers",
            new JsonObject
            {
                ["name"] = name,
                ["issuer"] = "https://id.example.com",
                ["clientId"] = "verbatim",
                ["clientSecret"] = "a secret of the test's provider",
                ["defaultRole"] = "user",
            }
        );
        return created["id"]!.GetValue<string>();
    }

    private static async Task<string> PageAsync(VerbatimHost host, string path)
    {
        using var anyone = host.AsAnyone();
        using var answer = await anyone.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<List<string>> OffersAsync(VerbatimHost host, string path) =>
        Offers(await PageAsync(host, path));

    private static List<string> Offers(string page) =>
        [.. page.Split("href=\"/login/external/").Skip(1).Select(p => p[..36])];

    // What follows up to the next quote.
    private static string Attribute(string page, string start)
    {
        var begin = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[begin..page.IndexOf('"', begin)];
    }
}
