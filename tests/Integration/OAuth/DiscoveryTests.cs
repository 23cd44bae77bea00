using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Configuration;

namespace Verbatim.Tests.Integration.OAuth;

public sealed class DiscoveryTests(VerbatimHost host) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/.well-known/oauth-authorization-server")]
    public async Task The_metadata_names_the_address_that_the_server_listens_on_whatever_the_request_says(string path)
    {
        using var anyone = host.AsAnyone();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = "evil.example";

        using var response = await anyone.SendAsync(request, Cancellation);
        var metadata = (await response.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!;

        var issuer = host.Address.GetLeftPart(UriPartial.Authority);
        Assert.Equal("public, max-age=300", response.Headers.CacheControl!.ToString());
        Assert.Equal(issuer, metadata["issuer"]!.GetValue<string>());
        Assert.Equal(issuer + "/oauth/token", metadata["token_endpoint"]!.GetValue<string>());
        Assert.Equal(["S256"], Texts(metadata["code_challenge_methods_supported"]));
        Assert.Equal(["code"], Texts(metadata["response_types_supported"]));
        Assert.True(metadata["authorization_response_iss_parameter_supported"]!.GetValue<bool>());
        Assert.Contains("openid", Texts(metadata["scopes_supported"]));
    }

    [Fact]
    public async Task The_published_keys_are_public_and_sign_the_tokens()
    {
        using var anyone = host.AsAnyone();
        var token = await host.LogInAsync(
            VerbatimHost.AdministratorEmail,
            VerbatimHost.AdministratorPassword,
            Cancellation
        );

        using var response = await anyone.GetAsync("/oauth/jwks", Cancellation);
        var keys = (await response.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!["keys"]!.AsArray();

        var key = Assert.Single(keys)!.AsObject();
        Assert.Equal(
            ["alg", "crv", "kid", "kty", "use", "x", "y"],
            key.Select(m => m.Key).Order(StringComparer.Ordinal)
        );
        Assert.Equal(Jwt.HeaderOf(token)["kid"]!.GetValue<string>(), key["kid"]!.GetValue<string>());
        Assert.Equal("public, max-age=300", response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task A_token_names_the_issuer_of_the_metadata()
    {
        var token = await host.LogInAsync(
            VerbatimHost.AdministratorEmail,
            VerbatimHost.AdministratorPassword,
            Cancellation
        );

        Assert.Equal(host.Address.GetLeftPart(UriPartial.Authority), Jwt.ClaimsOf(token)["iss"]!.GetValue<string>());
        Assert.Equal("at+jwt", Jwt.HeaderOf(token)["typ"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_given_issuer_is_the_one_that_is_told_and_the_only_one_that_is_taken()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Identity:Issuer"] = "https://ai.example.com",
        };
        await using var named = await VerbatimHost.StartAsync(host.ConnectionString, settings);
        using var anyone = named.AsAnyone();
        var own = await named.LogInAsync(
            VerbatimHost.AdministratorEmail,
            VerbatimHost.AdministratorPassword,
            Cancellation
        );
        var others = await host.LogInAsync(
            VerbatimHost.AdministratorEmail,
            VerbatimHost.AdministratorPassword,
            Cancellation
        );

        var metadata = await anyone.GetFromJsonAsync<JsonObject>("/.well-known/openid-configuration", Cancellation);

        Assert.Equal("https://ai.example.com", metadata!["issuer"]!.GetValue<string>());
        Assert.Equal("https://ai.example.com/oauth/jwks", metadata["jwks_uri"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.OK, await StatusOfMeAsync(named, own));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusOfMeAsync(named, others));
    }

    [Theory]
    [InlineData("Identity:Issuer", "http://ai.example.com", "Identity:Issuer is 'http://ai.example.com'; valid is")]
    [InlineData("Identity:SigningKeyDays", "-1", "Identity:SigningKeyDays is '-1'; valid is 0 to 3650.")]
    [InlineData(
        "Identity:SigningKeyPublishAheadSeconds",
        "1",
        "Identity:SigningKeyPublishAheadSeconds is '1'; valid is 2 to 604800."
    )]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string setting, string value, string sentence)
    {
        var wrong = new ConfigurationBuilder()
            .AddInMemoryCollection([new KeyValuePair<string, string?>(setting, value)])
            .Build();

        var refused = await Assert.ThrowsAsync<SettingException>(() =>
        {
            ActivatorUtilities.CreateInstance<SigningKeyRotation>(host.Services, wrong);
            return ActivatorUtilities.CreateInstance<Issuer>(host.Services, wrong).RunAsync(Cancellation);
        });

        Assert.StartsWith(sentence, refused.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusOfMeAsync(VerbatimHost host, string token)
    {
        using var client = host.As(token);
        using var response = await client.GetAsync("/api/me", Cancellation);
        return response.StatusCode;
    }

    private static IEnumerable<string> Texts(JsonNode? array) => array!.AsArray().Select(t => t!.GetValue<string>());
}
