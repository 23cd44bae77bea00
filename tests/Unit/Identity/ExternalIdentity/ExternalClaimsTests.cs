using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Identity.ExternalIdentity.Logins;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Users;

namespace Verbatim.Tests.Unit.Identity.ExternalIdentity;

public sealed class ExternalClaimsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly ProviderSettings Provider = new(
        "Example ID",
        "https://id.example.com",
        "verbatim",
        ["email"],
        LinkPolicy.Create,
        ["example.org"],
        Role.User,
        "groups",
        [new RoleMapping("admins", Role.Admin), new RoleMapping("auditors", Role.Auditor)],
        IsEnabled: true,
        "api"
    );

    private static readonly ExternalLoginState State = new(
        Guid.Empty,
        "state",
        "nonce",
        "verifier",
        "/",
        MaxAge: null,
        Now
    );

    [Fact]
    public void The_first_mapping_that_holds_gives_the_role()
    {
        Assert.Equal(Role.Admin, With(["auditors", "admins"]).RoleUnder(Provider));
        Assert.Equal(Role.Auditor, With(["auditors"]).RoleUnder(Provider));
        Assert.Equal(Role.User, With(["others"]).RoleUnder(Provider));
        Assert.Null(With(["others"]).RoleUnder(Provider with { DefaultRole = null }));
        Assert.Equal(Role.Viewer, With(["others"]).RoleUnder(Provider, invited: Role.Viewer));
        Assert.Equal(Role.Auditor, With(["auditors"]).RoleUnder(Provider, invited: Role.Viewer));
    }

    [Theory]
    [InlineData("ada@example.org", true)]
    [InlineData("ada@EXAMPLE.ORG", true)]
    [InlineData("ada@example.org.evil.example", false)]
    [InlineData("ada@evil.example", false)]
    [InlineData("ada@evil.example@example.org", true)]
    [InlineData("example.org", false)]
    [InlineData("@example.org", false)]
    [InlineData("ada@", false)]
    [InlineData("ada @example.org", false)]
    public void Only_addresses_of_the_allowed_domains_are_taken(string email, bool isAllowed) =>
        Assert.Equal(isAllowed, ExternalPeople.IsAllowed(email, Provider));

    [Fact]
    public void An_audience_of_several_needs_the_authorized_party()
    {
        Assert.NotNull(Read(new { aud = (string[])["verbatim"] }));
        Assert.NotNull(Read(new { aud = (string[])["verbatim", "other"], azp = "verbatim" }));
        Assert.Null(Read(new { aud = (string[])["verbatim", "other"] }));
        Assert.Null(Read(new { aud = (string[])["other"] }));
        Assert.Null(Read(new { aud = "verbatim", azp = "other" }));
        Assert.Null(Read(new { aud = 7 }));
    }

    [Fact]
    public void Who_is_asked_to_prove_themself_anew_must_have_done_so()
    {
        var past = Now.AddMinutes(-5).ToUnixTimeSeconds();

        Assert.NotNull(Read(new { aud = "verbatim", auth_time = past }, maxAge: 300));
        Assert.Null(Read(new { aud = "verbatim", auth_time = past }, maxAge: 60));
        Assert.Null(Read(new { aud = "verbatim" }, maxAge: 300));
        Assert.NotNull(Read(new { aud = "verbatim" }));
    }

    [Fact]
    public void Userinfo_of_another_person_adds_nothing()
    {
        var claims = new ExternalClaims("ada", Email: null, IsEmailVerified: false, []);
        using var other = JsonDocument.Parse("""{"sub":"eve","email":"eve@example.org","email_verified":true}""");
        using var own = JsonDocument.Parse("""{"sub":"ada","email":"ada@example.org","email_verified":true}""");

        Assert.Null(claims.With(other.RootElement, Provider).Email);
        Assert.Equal("ada@example.org", claims.With(own.RootElement, Provider).Email);
    }

    [Fact]
    public void No_payload_makes_the_reader_throw() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<NonNull<string>>(),
                text =>
                {
                    foreach (
                        var json in (string[])
                            [
                                text.Get,
                                "{" + text.Get + "}",
                                JsonSerializer.Serialize(
                                    new
                                    {
                                        iss = text.Get,
                                        aud = text.Get,
                                        sub = text.Get,
                                    }
                                ),
                                "{\"exp\":" + text.Get + "}",
                            ]
                    )
                    {
                        var payload = Encoding.UTF8.GetBytes(json);
                        if (
                            ExternalClaims.Read(payload, Provider, State, Now) is not null
                            || ExternalClaims.ReadAccess(payload, Provider.Issuer, "api", Now) is not null
                        )
                            return false;
                    }
                    return true;
                }
            )
            .QuickCheckThrowOnFailure();

    private static ExternalClaims With(string[] roles) => new("ada", "ada@example.org", IsEmailVerified: true, roles);

    private static ExternalClaims? Read(object audience, long? maxAge = null)
    {
        var claims = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["iss"] = Provider.Issuer,
            ["sub"] = "ada",
            ["nonce"] = "nonce",
            ["iat"] = Now.ToUnixTimeSeconds(),
            ["exp"] = Now.AddMinutes(5).ToUnixTimeSeconds(),
        };
        foreach (var property in audience.GetType().GetProperties())
            claims[property.Name] = property.GetValue(audience)!;
        return ExternalClaims.Read(
            JsonSerializer.SerializeToUtf8Bytes(claims),
            Provider,
            State with
            {
                MaxAge = maxAge,
            },
            Now
        );
    }
}
