using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Verbatim.Platform.Http;
using Verbatim.Tests.Integration.OAuth;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity.Passwords;

/// <summary>What somebody can do who has logged in with a one-time password: choose another, and no more.</summary>
public sealed class OneTimePasswordTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private const string Chosen = "a password of their own";
    private const string Code = "identity.password-change-required";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_login_reaches_ones_profile_the_change_and_the_end_of_logins_and_nothing_else()
    {
        var (email, oneTime) = await CreateAsync("admin");
        var token = await host.LogInAsync(email, oneTime, Cancellation);
        using var client = host.As(token);
        var routes = host
            .Services.GetServices<EndpointDataSource>()
            .SelectMany(s => s.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<RouteScope>() is { Scope: not null })
            .SelectMany(e =>
                e.Metadata.GetMetadata<HttpMethodMetadata>()!
                    .HttpMethods.Select(method =>
                        (
                            Method: method,
                            Path: "/" + e.RoutePattern.RawText!.TrimStart('/'),
                            IsOpen: e.Metadata.GetMetadata<OpenWhilePending>() is not null
                        )
                    )
            )
            .ToList();

        var reached = new List<string>();
        foreach (var (method, path, _) in routes.Where(r => !r.IsOpen))
        {
            var concrete = path.Replace("{id:guid}", Guid.CreateVersion7().ToString(), StringComparison.Ordinal);
            using var request = new HttpRequestMessage(new HttpMethod(method), concrete);
            using var answer = await client.SendAsync(request, Cancellation);
            var text = await answer.Content.ReadAsStringAsync(Cancellation);
            if (
                answer.StatusCode != HttpStatusCode.Forbidden
                || !text.Contains(
                    path.StartsWith("/v1/", StringComparison.Ordinal) ? "password" : Code,
                    StringComparison.Ordinal
                )
            )
                reached.Add($"{method} {path}: {answer.StatusCode} {text}");
        }

        Assert.True(routes.Count > 50);
        Assert.Empty(reached);
        Assert.Equal(
            [
                "DELETE /api/logins/{id:guid}",
                "GET /api/auth/antiforgery",
                "GET /api/me",
                "POST /api/auth/logout",
                "POST /api/auth/logout-everywhere",
                "POST /api/auth/password",
            ],
            routes.Where(r => r.IsOpen).Select(r => $"{r.Method} {r.Path}").Order(StringComparer.Ordinal)
        );
        Assert.True((await client.GetJsonAsync("/api/me"))["mustChangePassword"]!.GetValue<bool>());
        await client.PostJsonAsync(
            "/api/auth/password",
            new { currentPassword = oneTime, newPassword = Chosen },
            HttpStatusCode.NoContent
        );
        // The very same login goes on.
        Assert.NotEmpty((await client.GetJsonAsync("/api/users"))["data"]!.AsArray());
        await client.PostJsonAsync("/api/api-keys", new { name = "A key", scopes = (string[])["models:read"] });
    }

    [Fact]
    public async Task It_does_not_end_the_logins_of_others_whatever_its_role()
    {
        var (email, oneTime) = await CreateAsync("admin");
        var other = await Person.CreateAsync(host);
        using var theirs = await other.TryAsync();
        var login = (await Person.ReadAsync(theirs))["loginId"]!.GetValue<Guid>();
        using var client = host.As(await host.LogInAsync(email, oneTime, Cancellation));

        await client.SendJsonAsync(HttpMethod.Delete, $"/api/logins/{login}", body: null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_refresh_does_not_get_around_it_and_other_instances_see_the_change_within_a_second()
    {
        var (email, oneTime) = await CreateAsync("user");
        await using var second = await VerbatimHost.StartAsync(host.ConnectionString);
        using var anyone = second.AsAnyone();
        var login = await LogInAsync(anyone, email, oneTime);
        var refreshed = await anyone.PostJsonAsync(
            "/api/auth/refresh",
            new { refreshToken = login["refreshToken"]!.GetValue<string>() },
            HttpStatusCode.OK
        );
        using var elsewhere = second.As(refreshed["accessToken"]!.GetValue<string>());
        using var here = host.As(refreshed["accessToken"]!.GetValue<string>());

        Assert.True(login["mustChangePassword"]!.GetValue<bool>());
        Assert.True(refreshed["mustChangePassword"]!.GetValue<bool>());
        await elsewhere.RefusedAsync(HttpMethod.Get, "/api/api-keys", null, HttpStatusCode.Forbidden, Code);
        await here.PostJsonAsync(
            "/api/auth/password",
            new { currentPassword = oneTime, newPassword = Chosen },
            HttpStatusCode.NoContent
        );
        var change = TimeProvider.System.GetTimestamp();
        await elsewhere.WithinASecondAsync("/api/api-keys", HttpStatusCode.OK, change);
        var last = await anyone.PostJsonAsync(
            "/api/auth/refresh",
            new { refreshToken = refreshed["refreshToken"]!.GetValue<string>() },
            HttpStatusCode.OK
        );
        Assert.False(last["mustChangePassword"]!.GetValue<bool>());
    }

    [Fact]
    public async Task No_application_gets_in_with_it_nor_takes_its_token_and_the_way_goes_on_after_the_change()
    {
        using var dance = await OAuthDance.StartAsync(host);
        var (email, oneTime) = await CreateAsync("user");
        using var browser = host.AsAnyone();
        using var login = await browser.PostAsJsonAsync(
            "/api/auth/login",
            new
            {
                email,
                password = oneTime,
                cookie = true,
            },
            Cancellation
        );
        browser.DefaultRequestHeaders.Add("Cookie", login.Headers.GetValues("Set-Cookie").First().Split(';')[0]);
        var url = new Uri(dance.AuthorizeUrl(), UriKind.Relative);

        using var authorize = await browser.GetAsync(url, Cancellation);
        using var silent = await browser.GetAsync(
            new Uri(dance.AuthorizeUrl(("prompt", "none")), UriKind.Relative),
            Cancellation
        );
        using var factor = await browser.GetAsync("/account/second-factor", Cancellation);
        var token = await host.LogInAsync(email, oneTime, Cancellation);
        var (_, before) = await dance.PostAsync("/oauth/introspect", [("token", token)]);
        browser.DefaultRequestHeaders.Add(
            "x-csrf-token",
            (await browser.GetJsonAsync("/api/auth/antiforgery"))["token"]!.GetValue<string>()
        );
        await browser.PostJsonAsync(
            "/api/auth/password",
            new { currentPassword = oneTime, newPassword = Chosen },
            HttpStatusCode.NoContent
        );
        using var consent = await browser.GetAsync(url, Cancellation);

        Assert.StartsWith(
            "/account/password?returnTo=%2Foauth%2Fauthorize",
            authorize.Headers.Location!.ToString(),
            StringComparison.Ordinal
        );
        Assert.Equal("login_required", OAuthDance.Parameters(silent)["error"]);
        Assert.Equal("/account/password?returnTo=%2Faccount%2Fsecond-factor", factor.Headers.Location!.ToString());
        Assert.Equal("""{"active":false}""", before.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, consent.StatusCode);
        Assert.Contains(
            "asks for access",
            await consent.Content.ReadAsStringAsync(Cancellation),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task It_accepts_no_invitation_of_another_organization()
    {
        var (email, oneTime) = await CreateAsync("user");
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        using var elsewhere = await OAuthDance.EnterNewOrganizationAsync(host);
        var invited = await elsewhere.PostJsonAsync("/api/invitations", new { email, role = "admin" });
        using var client = host.As(await host.LogInAsync(email, oneTime, Cancellation));

        await client.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token = invited["link"]!.GetValue<string>().Split('=')[^1] },
            HttpStatusCode.Forbidden,
            Code
        );
    }

    [Theory]
    [InlineData("the operator's own password", false)]
    [InlineData("", true)]
    public async Task The_first_administrator_changes_a_printed_password_and_not_one_that_the_operator_has_set(
        string password,
        bool mustChange
    )
    {
        await using var started = await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Identity:AdministratorPassword"] = password }
        );
        await using var source = NpgsqlDataSource.Create(started.ConnectionString);
        await using var command = source.CreateCommand("select data ->> 'mustChangePassword' from documents.user");

        Assert.Equal(mustChange ? "true" : "false", await command.ExecuteScalarAsync(Cancellation));
        if (!mustChange)
        {
            using var client = started.As(
                await started.LogInAsync(VerbatimHost.AdministratorEmail, password, Cancellation)
            );
            await client.GetJsonAsync("/api/users");
        }
    }

    private async Task<(string Email, string OneTime)> CreateAsync(string role)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var email = $"{role}-{Guid.NewGuid():N}@example.org";
        var created = await administrator.PostJsonAsync("/api/users", new { email, role });
        return (email, created["oneTimePassword"]!.GetValue<string>());
    }

    private static Task<JsonNode> LogInAsync(HttpClient anyone, string email, string password) =>
        anyone.PostJsonAsync("/api/auth/login", new { email, password }, HttpStatusCode.OK);
}
