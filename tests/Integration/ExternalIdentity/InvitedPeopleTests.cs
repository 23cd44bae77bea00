using System.Net;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.ExternalIdentity;

/// <summary>The link policy <c>inviteOnly</c>: who has no invitation stays outside.</summary>
public sealed class InvitedPeopleTests(SharedPostgres postgres)
{
    private const string Email = "grace@example.org";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_an_open_invitation_of_a_verified_address_lets_somebody_new_in_and_is_accepted_by_it()
    {
        await using var scene = await ExternalScene.StartAsync(postgres, new { linkPolicy = "inviteOnly" });
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);

        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", Email));
        var uninvited = await scene.TryLogInAsync();
        var invitation = await administrator.PostJsonAsync("/api/invitations", new { email = Email, role = "auditor" });
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", Email, isVerified: false));
        var unverified = await scene.TryLogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("eve", "eve@example.org"));
        var other = await scene.TryLogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", "GRACE@example.org"));
        var invited = await scene.LogInAsync();
        var accepted = await administrator.GetJsonAsync($"/api/invitations/{invitation["id"]}");
        // From now on the person is known by the provider's name for them.
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", "married@example.org"));
        var again = await scene.LogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("mallory", Email));
        var second = await scene.TryLogInAsync();
        using var anyone = scene.Host.AsAnyone();

        Assert.Equal(HttpStatusCode.Forbidden, uninvited);
        Assert.Equal(HttpStatusCode.Forbidden, unverified);
        Assert.Equal(HttpStatusCode.Forbidden, other);
        Assert.Equal((Email, "auditor"), (invited["email"]!.GetValue<string>(), invited["role"]!.GetValue<string>()));
        Assert.Equal("accepted", accepted["status"]!.GetValue<string>());
        Assert.Equal(invited["userId"]!.GetValue<string>(), again["userId"]!.GetValue<string>());
        Assert.Equal("auditor", again["role"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.Forbidden, second);
        // The link in the mail is used up with it.
        await anyone.RefusedAsync(
            HttpMethod.Post,
            "/api/invitations/accept",
            new { token = invitation["link"]!.GetValue<string>().Split('=')[^1], password = "a password of their own" },
            HttpStatusCode.NotFound,
            "identity.invitation-not-found"
        );
    }

    [Fact]
    public async Task The_providers_role_goes_before_that_of_the_invitation_which_comes_back_with_its_end()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new
            {
                linkPolicy = "inviteOnly",
                defaultRole = "admin",
                roleClaim = "groups",
                roleMappings = (object[])[new { value = "ai-auditors", role = "auditor" }],
            }
        );
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);
        await administrator.PostJsonAsync("/api/invitations", new { email = Email, role = "viewer" });

        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", Email, "ai-auditors"));
        var mapped = await scene.LogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", Email));
        var unmapped = await scene.LogInAsync();

        Assert.Equal("auditor", mapped["role"]!.GetValue<string>());
        // Not the default, which is more than they were invited to.
        Assert.Equal("viewer", unmapped["role"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_revoked_invitation_or_an_account_that_is_there_does_not_let_in()
    {
        await using var scene = await ExternalScene.StartAsync(postgres, new { linkPolicy = "inviteOnly" });
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);
        var invitation = await administrator.PostJsonAsync("/api/invitations", new { email = Email, role = "user" });
        await administrator.SendJsonAsync(
            HttpMethod.Delete,
            $"/api/invitations/{invitation["id"]}",
            body: null,
            HttpStatusCode.NoContent
        );

        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", Email));
        var revoked = await scene.TryLogInAsync();
        await scene.Issuer.ControlAsync(ExternalScene.Account("a", VerbatimHost.AdministratorEmail));
        var member = await scene.TryLogInAsync();

        Assert.Equal(HttpStatusCode.Forbidden, revoked);
        Assert.Equal(HttpStatusCode.Forbidden, member);
    }

    [Fact]
    public async Task Two_windows_at_once_make_one_person()
    {
        await using var scene = await ExternalScene.StartAsync(postgres, new { linkPolicy = "inviteOnly" });
        using var administrator = await scene.Host.AsAdministratorAsync(Cancellation);
        await administrator.PostJsonAsync("/api/invitations", new { email = Email, role = "user" });
        await scene.Issuer.ControlAsync(ExternalScene.Account("grace", Email));
        using var one = scene.NewBrowser();
        using var two = scene.NewBrowser();
        var callbacks = (await scene.WalkAsync(one), await scene.WalkAsync(two));

        var answers = await Task.WhenAll(
            one.GetAsync(callbacks.Item1, Cancellation),
            two.GetAsync(callbacks.Item2, Cancellation)
        );
        var people = await administrator.GetJsonAsync("/api/users");

        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.SeeOther);
        Assert.DoesNotContain(answers, a => a.StatusCode == HttpStatusCode.InternalServerError);
        Assert.Single(people["data"]!.AsArray(), p => p!["email"]!.GetValue<string>() == Email);
    }
}
