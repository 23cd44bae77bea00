using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>
/// Anthropic's error bodies: <c>{"type":"error","error":{"type","message"},"request_id"}</c>, with the types that its
/// API's errors page lists for each status.
/// </summary>
internal static class AnthropicErrors
{
    private const string InvalidRequest = "invalid_request_error";

    public static Answer BrokenJson { get; } =
        Of(400, InvalidRequest, "The request body is not valid JSON: expected value at line 1 column 1");

    public static Answer NoKey { get; } = Of(401, "authentication_error", "x-api-key header is required");

    public static Answer WrongToken { get; } = Of(401, "authentication_error", "Invalid bearer token");

    public static Answer NoVersion { get; } = Of(400, InvalidRequest, "anthropic-version: header is required");

    public static Answer UnknownUrl { get; } = Of(404, "not_found_error", "Not Found");

    public static Answer WrongMethod { get; } = Of(405, InvalidRequest, "Method Not Allowed");

    public static Answer Invalid(string sentence) => Of(400, InvalidRequest, sentence);

    public static Answer NoModel(string name) => Of(404, "not_found_error", $"model: {name}");

    public static Answer NoFile(string id) => Of(404, "not_found_error", $"File not found: {id}");

    public static Answer Commanded(int status, string model, CommandSet commands)
    {
        var (type, message) = Usual(status, model);
        return Of(status, commands.ErrorType ?? type, commands.ErrorMessage ?? message);
    }

    /// <summary>The error as the data of an event, in a stream that has begun.</summary>
    public static byte[] InStream(CommandSet commands)
    {
        var (type, message) = Usual(529, "");
        return Body(commands.ErrorType ?? type, commands.ErrorMessage ?? message);
    }

    private static (string Type, string Message) Usual(int status, string model) =>
        status switch
        {
            401 => ("authentication_error", "invalid x-api-key"),
            402 => ("billing_error", "Your credit balance is too low to access the Anthropic API."),
            403 => ("permission_error", "Your API key does not have permission to use the specified resource."),
            404 => ("not_found_error", $"model: {model}"),
            409 => ("conflict_error", "The request conflicts with another one."),
            413 => ("request_too_large", "Request exceeds the maximum size"),
            429 => (
                "rate_limit_error",
                "Number of request tokens has exceeded your per-minute rate limit. Please reduce the rate of requests."
            ),
            500 => ("api_error", "Internal server error"),
            504 => ("timeout_error", "The request timed out while processing."),
            529 => ("overloaded_error", "Overloaded"),
            _ => (
                status < 500 ? InvalidRequest : "api_error",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ReasonPhrases.GetReasonPhrase(status)} (status {status}, on command)."
                )
            ),
        };

    private static Answer Of(int status, string type, string message) =>
        Answer.Json(status, "application/json", Body(type, message)) with
        {
            Stamped = AnthropicHeaders.RequestId,
        };

    private static byte[] Body(string type, string message) =>
        JsonBody.Compact(writer =>
        {
            writer.WriteString("type"u8, "error"u8);
            writer.WriteStartObject("error"u8);
            writer.WriteString("type"u8, type);
            writer.WriteString("message"u8, message);
            writer.WriteEndObject();
            writer.WriteString("request_id"u8, "req_" + Placeholder.Id(AnthropicHeaders.RequestId.IdLength));
        });
}
