using System.Text.Json;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.OAuth;

/// <summary>npm's openid-client and oauth4webapi, as they are.</summary>
public sealed class OAuthNodeTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    [Fact]
    public async Task They_go_through_every_flow_and_see_every_failure_for_what_it_is()
    {
        using var confidential = await OAuthDance.StartAsync(host);
        using var publicClient = await OAuthDance.StartAsync(host, new { tokenEndpointAuthMethod = "none" });
        using var machine = await OAuthDance.StartAsync(
            host,
            new
            {
                grantTypes = (string[])["client_credentials"],
                tokenEndpointAuthMethod = "client_secret_post",
                redirectUris = Array.Empty<string>(),
                scopes = (string[])["models:read"],
                role = "user",
            }
        );

        var seen = await NodeClient.RunAsync(
            "oauth.mjs",
            "openid-client",
            JsonSerializer.Serialize(
                new
                {
                    issuer = host.Address.GetLeftPart(UriPartial.Authority),
                    cookie = confidential.Browser.DefaultRequestHeaders.GetValues("Cookie").Single(),
                    confidential = new { id = confidential.ClientId, secret = confidential.Secret },
                    publicClient = new { id = publicClient.ClientId },
                    machine = new { id = machine.ClientId, secret = machine.Secret },
                }
            )
        );

        Assert.Equal(VerbatimHost.AdministratorEmail, seen["userinfo"]!.GetValue<string>());
        Assert.True(seen["introspected"]!.GetValue<bool>());
        Assert.True(seen["refreshed"]!.GetValue<bool>());
        Assert.Equal("invalid_grant", seen["refreshReused"]!.GetValue<string>());
        Assert.Equal("invalid_grant", seen["familyEnded"]!.GetValue<string>());
        Assert.Equal("invalid_grant", seen["codeReused"]!.GetValue<string>());
        Assert.True(seen["reuseRevoked"]!.GetValue<bool>());
        Assert.Equal("invalid_grant", seen["wrongVerifier"]!.GetValue<string>());
        Assert.Equal("access_denied", seen["denied"]!.GetValue<string>());
        Assert.Equal("login_required", seen["loginRequired"]!.GetValue<string>());
        Assert.True(seen["revoked"]!.GetValue<bool>());
        // What openid-client makes of 401 with a WWW-Authenticate, which RFC 6749 §5.2 demands.
        Assert.Equal("OAUTH_WWW_AUTHENTICATE_CHALLENGE", seen["wrongSecret"]!.GetValue<string>());
        Assert.Equal("models:read", seen["machine"]!.GetValue<string>());
        Assert.Equal("invalid_scope", seen["machineBeyond"]!.GetValue<string>());
        Assert.NotEqual("no error", seen["mixUp"]!.GetValue<string>());
        Assert.Equal(VerbatimHost.AdministratorEmail, seen["publicClient"]!.GetValue<string>());
        Assert.Equal(200, seen["resource"]!.GetValue<int>());
        Assert.Contains("invalid_token", seen["afterRevocation"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("""[400,null,true]""", seen["logoutElsewhere"]!.ToJsonString());
        Assert.Equal(303, seen["logout"]![0]!.GetValue<int>());
        Assert.Equal(
            new Uri("https://app.example.com/bye?state=the%20end%26%3D").Query,
            new Uri(seen["logout"]![1]!.GetValue<string>()).Query.Replace("+", "%20", StringComparison.Ordinal)
        );
        Assert.True(seen["logout"]![2]!.GetValue<bool>());
        Assert.False(seen["afterLogout"]!.GetValue<bool>());
        Assert.Equal("invalid_grant", seen["refreshAfterLogout"]!.GetValue<string>());
        Assert.Equal("login_required", seen["loginAfterLogout"]!.GetValue<string>());
    }
}
