using Verbatim.Contracts;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Identity.OAuth;

public sealed class OAuthClientTests
{
    private static readonly Guid Id = Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77");
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Caller Administrator = Of(Role.Admin);

    private static readonly CreateOAuthClientRequest Intranet = new(
        "The intranet",
        ["openid", Scopes.InferencesCreate],
        ["https://intranet.example.com/callback"]
    );

    private static readonly CreateOAuthClientRequest Job = new(
        "The nightly job",
        [Scopes.InferencesCreate],
        GrantTypes: ["client_credentials"],
        Role: Role.User
    );

    [Fact]
    public void A_client_is_confidential_and_takes_codes_unless_said_otherwise()
    {
        var client = Create(Intranet);

        Assert.True(client.IsActive);
        Assert.Equal("client_secret_basic", client.Settings.AuthenticationMethod);
        Assert.Equal(["authorization_code", "refresh_token"], client.Settings.GrantTypes);
        Assert.Equal("vcs_01234", client.SecretPrefix);
    }

    [Fact]
    public void A_public_client_has_no_secret() =>
        Assert.Null(Create(Intranet with { TokenEndpointAuthMethod = "none" }).SecretPrefix);

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        AssertRefused("identity.unknown-auth-method", Intranet with { TokenEndpointAuthMethod = "tls_client_auth" });
        AssertRefused("identity.unknown-grant-type", Intranet with { GrantTypes = ["password"] });
        AssertRefused("identity.no-grant-type", Intranet with { GrantTypes = [] });
        AssertRefused("identity.no-grant-type", Intranet with { GrantTypes = ["refresh_token"] });
        AssertRefused("identity.redirect-uris", Intranet with { RedirectUris = [] });
        AssertRefused("identity.redirect-uris", Job with { RedirectUris = ["https://a.example/"] });
        AssertRefused("identity.invalid-redirect-uri", Intranet with { RedirectUris = ["http://a.example/"] });
        AssertRefused("identity.invalid-redirect-uri", Intranet with { PostLogoutRedirectUris = ["a.example"] });
        AssertRefused("identity.unknown-scope", Intranet with { Scopes = ["everything"] });
        AssertRefused("identity.public-client", Job with { TokenEndpointAuthMethod = "none" });
        AssertRefused("identity.client-role", Job with { Role = null });
        AssertRefused("identity.client-role", Intranet with { Role = Role.User });
        AssertRefused(
            "identity.refresh-without-code",
            Job with
            {
                GrantTypes = ["client_credentials", "refresh_token"],
            }
        );
    }

    [Fact]
    public void Nobody_registers_a_client_that_may_do_more_than_they()
    {
        AssertRefused("identity.scope-beyond-yours", Intranet, Of(Role.Viewer));
        AssertRefused("identity.role-beyond-yours", Job with { Role = Role.Admin }, Of(Role.User));
    }

    [Fact]
    public void The_same_settings_again_record_nothing()
    {
        var client = Create(Intranet);

        Assert.Equal(
            Decision.Nothing,
            UpdateOAuthClient.Decide(client, new UpdateOAuthClientRequest(Name: Intranet.Name), Administrator.Scopes)
        );
        Assert.NotEqual(
            Decision.Nothing,
            UpdateOAuthClient.Decide(client, new UpdateOAuthClientRequest(Name: "Another"), Administrator.Scopes)
        );
    }

    [Fact]
    public void A_deleted_client_stays_deleted()
    {
        var deleted = OAuthClient.Evolve(Create(Intranet), new OAuthClientDeleted(Now));

        Assert.False(deleted.IsActive);
        Assert.Equal(Decision.Nothing, DeleteOAuthClient.Decide(deleted, Now));
        Assert.Equal(OAuthClientErrors.Deleted, SuspendOAuthClient.Decide(deleted, Now));
        Assert.Equal(OAuthClientErrors.Deleted, ReactivateOAuthClient.Decide(deleted, Now));
        Assert.Equal(
            OAuthClientErrors.Deleted,
            RotateOAuthClientSecret.Decide(deleted, Id, Id, "vcs_0123456789", Now, Now)
        );
        Assert.Equal(
            OAuthClientErrors.Deleted,
            UpdateOAuthClient.Decide(deleted, new UpdateOAuthClientRequest(Name: "Another"), Administrator.Scopes)
        );
    }

    [Fact]
    public void A_secret_ends_and_is_told_from_others()
    {
        var settings = Create(Intranet).Settings;
        var client = new KnownClient(
            Id,
            Id,
            settings,
            IsActive: true,
            [
                new KnownSecret(ClientSecret.HashOf("vcs_old"), Now.AddMinutes(1)),
                new KnownSecret(ClientSecret.HashOf("vcs_new"), ExpiresAt: null),
            ]
        );

        Assert.True(client.HasSecret("vcs_old", Now));
        Assert.False(client.HasSecret("vcs_old", Now.AddMinutes(1)));
        Assert.True(client.HasSecret("vcs_new", Now.AddYears(1)));
        Assert.False(client.HasSecret("vcs_none", Now));
        Assert.False(client.HasSecret("", Now));
    }

    private static OAuthClient Create(CreateOAuthClientRequest request)
    {
        var decision = CreateOAuthClient.Decide(Administrator, Id, request, "vcs_0123456789", Now);
        return OAuthClient.Evolve(null, EventsOf(decision).Single());
    }

    private static void AssertRefused(string code, CreateOAuthClientRequest request, Caller? caller = null)
    {
        var decision = CreateOAuthClient.Decide(caller ?? Administrator, Id, request, "vcs_0123456789", Now);
        Assert.Equal(code, Assert.IsType<Decision.Refusing>(decision).Refusal.Code);
    }

    private static IReadOnlyList<IEvent> EventsOf(Decision decision) =>
        Assert.IsType<Decision.Appending>(decision).Events;

    private static Caller Of(Role role) =>
        new(Id, $"user:{Id}", Id, RoleScopes.Of(role)) { Reach = Reach.Organization };
}
