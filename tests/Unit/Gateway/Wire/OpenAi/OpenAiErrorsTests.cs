using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;

namespace Verbatim.Tests.Unit.Gateway.Wire.OpenAi;

public sealed class OpenAiErrorsTests
{
    [Fact]
    public async Task A_wrong_key_is_told_as_OpenAI_tells_it()
    {
        var (response, body) = await AnswerAsync(
            new HttpError(401, "unauthenticated", "A valid credential is needed.")
        );

        Assert.Equal(401, response.StatusCode);
        Assert.Equal("application/json", response.ContentType);
        Assert.Equal(body.Length, response.ContentLength);
        Assert.Equal(
            """{"error":{"message":"A valid credential is needed.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}""",
            body
        );
    }

    [Theory]
    [InlineData(403, "forbidden", "invalid_request_error", "missing_scope")]
    [InlineData(404, "route-not-found", "invalid_request_error", "unknown_url")]
    [InlineData(404, "model-not-found", "invalid_request_error", "model_not_found")]
    [InlineData(404, "gateway.model-not-found", "invalid_request_error", "model_not_found")]
    [InlineData(405, "method-not-allowed", "invalid_request_error", "method_not_supported")]
    [InlineData(413, "body-too-large", "invalid_request_error", "body_too_large")]
    [InlineData(415, "unsupported-media-type", "invalid_request_error", "unsupported_content_type")]
    [InlineData(400, "malformed-json", "invalid_request_error", null)]
    [InlineData(429, "usage.rate-limit-exceeded", "requests", "rate_limit_exceeded")]
    [InlineData(429, "usage.insufficient-quota", "insufficient_quota", "insufficient_quota")]
    [InlineData(500, "internal-error", "server_error", null)]
    [InlineData(502, "upstream-broken", "server_error", "upstream_broken")]
    [InlineData(503, "database-unavailable", "server_error", "database_unavailable")]
    public void Our_codes_become_types_and_codes_of_the_wire(int status, string ours, string type, string? code)
    {
        var error = OpenAiErrors.Dialect.From(new HttpError(status, ours, "x"));

        Assert.Equal((status, type, code, null), (error.Status, error.Type, error.Code, error.Param));
    }

    [Fact]
    public async Task A_budget_that_is_used_up_is_not_to_be_tried_again()
    {
        var (quota, _) = await AnswerAsync(new HttpError(429, "insufficient-quota", "x"));
        var (limit, _) = await AnswerAsync(new HttpError(429, "rate-limit-exceeded", "x"));

        Assert.Equal("false", quota.Headers["x-should-retry"]);
        Assert.False(limit.Headers.ContainsKey("x-should-retry"));
    }

    [Fact]
    public void What_is_null_is_null_and_no_word()
    {
        var writer = new ArrayBufferWriter<byte>();
        OpenAiErrors.Dialect.Write(writer, new WireError(500, "It's \"broken\"\n<é>", null, null), "r");

        Assert.Equal(
            """{"error":{"message":"It's \"broken\"\n<é>","type":"server_error","param":null,"code":null}}""",
            Encoding.UTF8.GetString(writer.WrittenSpan)
        );
    }

    [Fact]
    public void In_a_stream_the_error_is_one_event()
    {
        var writer = new ArrayBufferWriter<byte>();
        OpenAiErrors.Dialect.WriteEvent(
            writer,
            new WireError(429, "Line\nbreak", "model", "rate_limit_exceeded") { Type = "tokens" },
            "r",
            0
        );

        Assert.Equal(
            """data: {"error":{"message":"Line\nbreak","type":"tokens","param":"model","code":"rate_limit_exceeded"}}"""
                + "\n\n",
            Encoding.UTF8.GetString(writer.WrittenSpan)
        );
    }

    [Fact]
    public void The_dialect_answers_for_the_routes_under_v1() => Assert.Equal("/v1", OpenAiErrors.Dialect.Prefix);

    private static async Task<(HttpResponse Response, string Body)> AnswerAsync(HttpError error)
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        await OpenAiErrors.Dialect.WriteAsync(context, error);
        return (context.Response, Encoding.UTF8.GetString(body.ToArray()));
    }
}
