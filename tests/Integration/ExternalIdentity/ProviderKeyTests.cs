using System.Net;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.ExternalIdentity;

/// <summary>A provider changes its signing keys while this server runs.</summary>
public sealed class ProviderKeyTests(SharedPostgres postgres)
{
    [Fact]
    public async Task A_new_key_is_taken_after_one_fetch_and_unknown_ones_cause_no_more()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new
            {
                linkPolicy = "create",
                defaultRole = "user",
                apiAudience = "verbatim-api",
            }
        );
        var account = ExternalScene.Account("grace", "grace@example.org");
        await scene.Issuer.ControlAsync(account);
        await scene.LogInAsync();
        var first = await scene.Issuer.ControlAsync(account);
        await scene.LogInAsync();
        var known = await scene.Issuer.ControlAsync(account);

        // An elliptic one in place of RSA, a moment after the others were fetched.
        await scene.Issuer.ControlAsync(account, rotate: "ES256");
        var after = await scene.LogInAsync();
        var rotated = await scene.Issuer.ControlAsync(account, "unknown-kid");
        var unknown = new List<HttpStatusCode>();
        for (var i = 0; i < 3; i++)
            unknown.Add(await scene.TryLogInAsync());
        var tokens = await ForgeAsync(20);
        var atTheApi = await Task.WhenAll(tokens.Select(t => StatusAsync(scene.Host, t)));
        var end = await scene.Issuer.ControlAsync(account);
        await scene.LogInAsync();

        Assert.Equal("grace@example.org", after["email"]!.GetValue<string>());
        Assert.Equal((1, 1, 2, 2), (first, known, rotated, end));
        Assert.All(unknown, s => Assert.Equal(HttpStatusCode.BadRequest, s));
        Assert.All(atTheApi, s => Assert.Equal(HttpStatusCode.Unauthorized, s));

        async Task<List<string>> ForgeAsync(int count)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
            var token = await scene.Issuer.MintAsync(
                new
                {
                    sub = "grace",
                    aud = "verbatim-api",
                    iat = now,
                    exp = now + 600,
                }
            );
            var parts = token.Split('.');
            return
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(i =>
                        System.Buffers.Text.Base64Url.EncodeToString(
                            System.Text.Encoding.UTF8.GetBytes(
                                $$"""{"alg":"ES256","kid":"made-up-{{i}}","typ":"at+jwt"}"""
                            )
                        ) + $".{parts[1]}.{parts[2]}"
                    ),
            ];
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(VerbatimHost host, string token)
    {
        using var client = host.As(token);
        using var answer = await client.GetAsync(
            new Uri("/api/me", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        return answer.StatusCode;
    }

    [Fact]
    public async Task Many_who_come_with_the_new_key_at_once_wait_for_the_one_fetch()
    {
        await using var scene = await ExternalScene.StartAsync(
            postgres,
            new
            {
                linkPolicy = "create",
                defaultRole = "user",
                apiAudience = "verbatim-api",
            }
        );
        var account = ExternalScene.Account("grace", "grace@example.org");
        await scene.Issuer.ControlAsync(account);
        await scene.LogInAsync();
        await scene.Issuer.ControlAsync(account, rotate: "ES256");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var tokens = new List<string>();
        for (var i = 0; i < 10; i++)
            tokens.Add(
                await scene.Issuer.MintAsync(
                    new
                    {
                        sub = "grace",
                        aud = "verbatim-api",
                        iat = now,
                        exp = now + 600 + i,
                    }
                )
            );

        var statuses = await Task.WhenAll(tokens.Select(t => StatusAsync(scene.Host, t)));

        Assert.All(statuses, s => Assert.Equal(HttpStatusCode.OK, s));
        Assert.Equal(2, await scene.Issuer.ControlAsync(account));
    }
}
