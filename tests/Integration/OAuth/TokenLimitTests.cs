using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.OAuth;

/// <summary>The limit of requests from one network at the doors of tokens; each refuses in the words of its protocol.</summary>
public sealed class TokenLimitTests(SharedPostgres postgres)
{
    private const int Limit = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/oauth/token")]
    [InlineData("/oauth/introspect")]
    [InlineData("/oauth/revoke")]
    public async Task Too_many_are_refused_as_oauth_clients_read_it(string path)
    {
        await using var host = await StartAsync();
        using var anyone = host.AsAnyone();
        for (var i = 0; i < Limit; i++)
        {
            using var heard = await SendFormAsync(anyone, path);
            Assert.InRange((int)heard.StatusCode, 400, 401);
        }

        using var refused = await SendFormAsync(anyone, path);

        AssertTooMany(refused);
        Assert.Equal("application/json", refused.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no-store", refused.Headers.CacheControl!.ToString());
        var error = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Cancellation))!.AsObject();
        Assert.Equal("temporarily_unavailable", error["error"]!.GetValue<string>());
        Assert.Equal(["error", "error_description"], error.Select(p => p.Key));
        // Nobody else's door is shut.
        await anyone.GetJsonAsync("/health/live");
    }

    [Fact]
    public async Task Too_many_refreshes_are_refused_as_a_problem()
    {
        await using var host = await StartAsync();
        using var anyone = host.AsAnyone();
        for (var i = 0; i < Limit; i++)
            await anyone.PostJsonAsync("/api/auth/refresh", new { refreshToken = "x" }, HttpStatusCode.Unauthorized);

        using var refused = await anyone.PostAsync(
            new Uri("/api/auth/refresh", UriKind.Relative),
            new StringContent("""{"refreshToken":"x"}""", new MediaTypeHeaderValue("application/json")),
            Cancellation
        );

        AssertTooMany(refused);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Cancellation))!;
        Assert.Equal("too-many-requests", problem["code"]!.GetValue<string>());
        Assert.Equal(429, problem["status"]!.GetValue<int>());
    }

    private async Task<VerbatimHost> StartAsync() =>
        await VerbatimHost.StartAsync(
            await postgres.CreateDatabaseAsync(Cancellation),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Http:RateLimits:Tokens"] = $"{Limit}" }
        );

    private static async Task<HttpResponseMessage> SendFormAsync(HttpClient client, string path)
    {
        using var form = new FormUrlEncodedContent([
            new("grant_type", "refresh_token"),
            new("refresh_token", "vr_x"),
            new("token", "vr_x"),
        ]);
        return await client.PostAsync(new Uri(path, UriKind.Relative), form, Cancellation);
    }

    private static void AssertTooMany(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        // Three a minute: one is given back within twenty seconds.
        Assert.InRange(response.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
    }
}
