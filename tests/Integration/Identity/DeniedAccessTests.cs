using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Identity;

public sealed class DeniedAccessTests(VerbatimHost host, SharedPostgres postgres) : IClassFixture<VerbatimHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_caller_without_the_scope_is_on_record_with_the_route_and_the_request()
    {
        using var viewer = await host.AsNewAsync("viewer", Cancellation);
        var me = await viewer.GetFromJsonAsync<JsonNode>("/api/me", Cancellation);

        using var answer = await viewer.GetAsync("/api/users", Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        var denied = await FindAsync(answer.Headers.GetValues("x-request-id").Single());
        Assert.Equal("identity.access-denied", denied["type"]!.GetValue<string>());
        Assert.Equal(me!["actor"]!.GetValue<string>(), denied["actor"]!.GetValue<string>());
        Assert.Equal("/api/users", denied["data"]!["route"]!.GetValue<string>());
        Assert.Equal("users:read", denied["data"]!["scope"]!.GetValue<string>());
        Assert.Equal(403, denied["data"]!["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_credential_that_is_not_valid_is_on_record_and_is_itself_not()
    {
        using var stranger = host.As("vk_ThisSecretMustNotBeOnRecord0123456789abcdefg");

        using var answer = await stranger.GetAsync("/api/users", Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var denied = await FindAsync(answer.Headers.GetValues("x-request-id").Single());
        Assert.Equal("system:door", denied["actor"]!.GetValue<string>());
        Assert.Equal(401, denied["data"]!["status"]!.GetValue<int>());
        Assert.DoesNotContain("ThisSecret", denied.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_to_another_organization_is_on_record()
    {
        using var anyone = host.AsAnyone();

        using var answer = await anyone.PostAsJsonAsync(
            "/api/auth/login",
            new
            {
                email = VerbatimHost.AdministratorEmail,
                password = VerbatimHost.AdministratorPassword,
                organizationId = Guid.CreateVersion7(),
            },
            Cancellation
        );

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        var denied = await FindAsync(answer.Headers.GetValues("x-request-id").Single());
        Assert.Equal(403, denied["data"]!["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_flood_of_denials_is_counted_and_none_is_left_out()
    {
        const int Requests = 75;
        await using var own = await VerbatimHost.StartAsync(await postgres.CreateDatabaseAsync(Cancellation));
        using var viewer = await own.AsNewAsync("viewer", Cancellation);
        var recorder = own.Services.GetRequiredService<DenialRecorder>();
        await recorder.FlushAsync();

        for (var i = 0; i < Requests; i++)
            using (await viewer.GetAsync("/api/users", Cancellation)) { }
        await recorder.FlushAsync();

        using var administrator = await own.AsAdministratorAsync(Cancellation);
        var list = await administrator.GetFromJsonAsync<JsonNode>(
            "/api/audit/streams?type=access-denial&limit=200",
            Cancellation
        );
        var counted = 0L;
        foreach (var stream in list!["data"]!.AsArray())
        {
            var state = await administrator.GetFromJsonAsync<JsonNode>(
                $"/api/audit/streams/{stream!["streamId"]}/state",
                Cancellation
            );
            counted += state!["state"]!["count"]!.GetValue<long>();
        }
        Assert.Equal(Requests, counted);
        Assert.Equal(21, list["data"]!.AsArray().Count);
    }

    private async Task<JsonNode> FindAsync(string requestId)
    {
        using var administrator = await host.AsAdministratorAsync(Cancellation);
        var list = await administrator.GetFromJsonAsync<JsonNode>(
            "/api/audit/streams?type=access-denial",
            Cancellation
        );
        foreach (var stream in list!["data"]!.AsArray())
        {
            var events = await administrator.GetFromJsonAsync<JsonNode>(
                $"/api/audit/streams/{stream!["streamId"]}",
                Cancellation
            );
            var first = events!["data"]!.AsArray()[0]!;
            if (first["correlation"]!.GetValue<string>() == requestId)
                return first;
        }
        throw new InvalidOperationException($"No denial of the request {requestId} is on record.");
    }
}
