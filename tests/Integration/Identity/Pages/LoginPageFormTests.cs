using System.Net;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Integration.Identity.Pages;

/// <summary>The pages without a browser: what nobody's browser would send.</summary>
public sealed partial class LoginPageFormTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_opens_the_address_of_the_server_comes_to_their_account()
    {
        using var anyone = host.AsAnyone();

        using var root = await anyone.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.SeeOther, root.StatusCode);
        Assert.Equal("/account", root.Headers.Location!.ToString());
    }

    [Fact]
    public async Task A_form_that_came_from_elsewhere_logs_nobody_in()
    {
        var person = await Person.CreateAsync(host);
        using var browser = Browse();
        using var another = Browse();
        var token = await TokenAsync(browser);
        var foreign = await TokenAsync(another);

        using var without = await LogInAsync(browser, person.Email, token: null);
        using var others = await LogInAsync(browser, person.Email, foreign);
        using var nonsense = await LogInAsync(browser, person.Email, "nonsense");
        using var noCookie = await LogInAsync(Browse(), person.Email, token);
        using var crossSite = await LogInAsync(browser, person.Email, token, site: "cross-site");
        using var right = await LogInAsync(browser, person.Email, token, site: "same-origin");

        Assert.All(
            new[] { without, others, nonsense, noCookie, crossSite },
            response =>
            {
                Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
                Assert.DoesNotContain(
                    response.Headers.TryGetValues("set-cookie", out var cookies) ? cookies : [],
                    c => c.StartsWith("verbatim=", StringComparison.Ordinal)
                );
            }
        );
        Assert.Equal(HttpStatusCode.SeeOther, right.StatusCode);
    }

    [Fact]
    public async Task A_person_of_two_organizations_chooses_one()
    {
        var person = await Person.CreateAsync(host);
        await PasswordResets.PasswordResetTests.JoinAnotherOrganizationAsync(host, person);
        using var browser = Browse();
        var token = await TokenAsync(browser);

        using var asked = await LogInAsync(browser, person.Email, token);
        var page = await asked.Content.ReadAsStringAsync(Cancellation);
        var challenge = Field("challenge").Match(page).Groups["value"].Value;
        var choices = Choice().Matches(page).Select(m => m.Groups["id"].Value).ToList();
        using var chosen = await PostAsync(
            browser,
            "/login/organization",
            ("formToken", token),
            ("challenge", challenge),
            ("organizationId", choices[1]),
            ("returnTo", "/account")
        );
        using var notMine = await PostAsync(
            browser,
            "/login/organization",
            ("formToken", token),
            ("challenge", challenge),
            ("organizationId", Guid.NewGuid().ToString())
        );

        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
        Assert.Equal(2, choices.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(HttpStatusCode.SeeOther, chosen.StatusCode);
        Assert.Equal("/account", chosen.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Forbidden, notMine.StatusCode);
    }

    [Fact]
    public async Task On_the_way_to_an_application_the_page_goes_on_by_itself_and_not_by_the_form()
    {
        var person = await Person.CreateAsync(host);
        using var browser = Browse();
        var token = await TokenAsync(browser);

        using var response = await PostAsync(
            browser,
            "/login",
            ("formToken", token),
            ("email", person.Email),
            ("password", Person.Password),
            ("returnTo", "/oauth/authorize?client_id=a&scope=b")
        );
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(
            "<meta http-equiv=\"refresh\" content=\"0; url=/oauth/authorize?client_id=a&amp;scope=b\">",
            page,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_was_typed_comes_back_as_text()
    {
        using var browser = Browse();
        var token = await TokenAsync(browser);

        using var response = await LogInAsync(browser, "\"><script>alert(1)</script>@example.org", token);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/account")]
    [InlineData("/account/password")]
    [InlineData("/account/second-factor")]
    [InlineData("/logout")]
    public async Task Who_is_not_logged_in_is_sent_to_the_login(string path)
    {
        using var browser = Browse();

        using var shown = await browser.GetAsync(path, Cancellation);
        using var posted = await PostAsync(browser, path, ("currentPassword", "x"));

        Assert.Equal(HttpStatusCode.SeeOther, shown.StatusCode);
        Assert.StartsWith("/login", shown.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Contains(posted.StatusCode, new[] { HttpStatusCode.SeeOther, HttpStatusCode.MethodNotAllowed });
    }

    [Fact]
    public async Task A_form_of_a_person_who_is_logged_in_needs_its_token()
    {
        var person = await Person.CreateAsync(host);
        using var browser = Browse();
        using var login = await LogInAsync(browser, person.Email, await TokenAsync(browser));

        using var forged = await PostAsync(
            browser,
            "/account/password",
            ("currentPassword", Person.Password),
            ("newPassword", "what a forger would choose")
        );
        using var out1 = await PostAsync(browser, "/logout");
        using var still = await person.TryAsync();
        using var account = await browser.GetAsync("/account", Cancellation);

        Assert.Equal(HttpStatusCode.SeeOther, forged.StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, out1.StatusCode);
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
        Assert.Equal(HttpStatusCode.OK, account.StatusCode);
    }

    private HttpClient Browse() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true }) { BaseAddress = host.Address };

    private static async Task<string> TokenAsync(HttpClient browser)
    {
        var page = await browser.GetStringAsync("/login", Cancellation);
        return Field("formToken").Match(page).Groups["value"].Value;
    }

    private static Task<HttpResponseMessage> LogInAsync(
        HttpClient browser,
        string email,
        string? token,
        string? site = null
    )
    {
        if (site is not null)
        {
            browser.DefaultRequestHeaders.Remove("Sec-Fetch-Site");
            browser.DefaultRequestHeaders.Add("Sec-Fetch-Site", site);
        }
        return PostAsync(
            browser,
            "/login",
            ("formToken", token ?? ""),
            ("email", email),
            ("password", Person.Password)
        );
    }

    private static async Task<HttpResponseMessage> PostAsync(
        HttpClient browser,
        string path,
        params (string Name, string Value)[] fields
    )
    {
        using var form = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)));
        return await browser.PostAsync(path, form, Cancellation);
    }

    private static Regex Field(string name) =>
        new($"name=\"{name}\" value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));

    [GeneratedRegex("name=\"organizationId\" value=\"(?<id>[^\"]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Choice();
}
