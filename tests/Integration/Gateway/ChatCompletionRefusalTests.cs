using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>What is refused before it is recorded, in OpenAI's words.</summary>
public sealed class ChatCompletionRefusalTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", HttpStatusCode.BadRequest, null)]
    [InlineData("{", HttpStatusCode.BadRequest, null)]
    [InlineData("[]", HttpStatusCode.BadRequest, null)]
    [InlineData("""{"messages":[]}""", HttpStatusCode.BadRequest, null)]
    [InlineData("""{"model":7}""", HttpStatusCode.BadRequest, "invalid_type")]
    [InlineData("""{"model":"gpt-fake","stream":"yes"}""", HttpStatusCode.BadRequest, "invalid_type")]
    [InlineData("""{"model":"no-such","messages":[]}""", HttpStatusCode.NotFound, "model_not_found")]
    public async Task A_bad_body_is_refused_in_OpenAIs_shape(string body, HttpStatusCode status, string? code)
    {
        using var response = await gateway.PostAsync(body, Cancellation);

        await AssertErrorAsync(response, status, code);
        Assert.False(response.Headers.Contains(GatewayHost.InferenceIdHeader));
    }

    [Fact]
    public async Task A_body_of_ten_megabytes_is_refused_whether_its_length_is_told_or_not()
    {
        var body =
            $$"""{"model":"gpt-fake","messages":[{"role":"user","content":"{{new string('x', 10_000_000)}}"}]}""";

        using var told = await gateway.PostAsync(body, Cancellation);
        using var untold = await gateway.PostAsync(body, Cancellation, r => r.Headers.TransferEncodingChunked = true);

        await AssertErrorAsync(told, HttpStatusCode.RequestEntityTooLarge);
        await AssertErrorAsync(untold, HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        using var response = await gateway.PostAsync(
            """{"model":"gpt-fake"}""",
            Cancellation,
            r => r.Content!.Headers.ContentType = new MediaTypeHeaderValue("text/plain")
        );

        await AssertErrorAsync(response, HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData("Bearer vk_wrong")]
    [InlineData("Bearer ")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData(null)]
    public async Task A_wrong_key_or_none_is_a_401(string? authorization)
    {
        using var response = await gateway.SendAsync(
            """{"model":"gpt-fake","messages":[]}""",
            r =>
            {
                if (authorization is not null)
                    r.Headers.TryAddWithoutValidation("Authorization", authorization);
            },
            credential: null,
            Cancellation
        );

        await AssertErrorAsync(response, HttpStatusCode.Unauthorized, "invalid_api_key");
        Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_without_the_scope_is_a_403()
    {
        var key = await gateway.Host.CreateApiKeyAsync(["models:read"], Cancellation);

        using var response = await gateway.SendAsync("""{"model":"gpt-fake","messages":[]}""", null, key, Cancellation);

        await AssertErrorAsync(response, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_key_may_come_as_x_api_key()
    {
        using var response = await gateway.SendAsync(
            """{"model":"gpt-fake","messages":[]}""",
            r => r.Headers.Add("x-api-key", gateway.ApiKey),
            credential: null,
            Cancellation
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/v1/chat/completions", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "/v1/no-such-route", HttpStatusCode.NotFound)]
    [InlineData("GET", "/v1/models/no-such", HttpStatusCode.NotFound)]
    public async Task A_wrong_route_is_refused_in_OpenAIs_shape_too(string method, string path, HttpStatusCode status)
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await client.SendAsync(request, Cancellation);

        await AssertErrorAsync(response, status);
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, HttpStatusCode status, string? code = null)
    {
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.True(response.Headers.Contains("x-request-id"));
        var error = JsonNode.Parse(text)!["error"]!.AsObject();
        Assert.NotEmpty(error["message"]!.GetValue<string>());
        Assert.NotEmpty(error["type"]!.GetValue<string>());
        Assert.True(error.ContainsKey("param") && error.ContainsKey("code"));
        if (code is not null)
            Assert.Equal(code, error["code"]!.GetValue<string>());
    }
}
