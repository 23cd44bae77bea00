using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// OpenAI's error bodies. The envelope, its order and its indent of four are those of recorded answers; the
/// texts are the real ones where they are known (401, 404, 429, 500, 503).
/// </summary>
internal static class OpenAiErrors
{
    private const string InvalidRequest = "invalid_request_error";
    private const string ServerError = "server_error";

    public static Answer BrokenJson { get; } =
        Of(
            400,
            new Error(
                "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your "
                    + "HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid "
                    + "JSON. If you have trouble figuring out how to fix this, please contact us through our help "
                    + "center at help.openai.com.)",
                InvalidRequest
            )
        );

    public static Answer NoModel { get; } = Of(400, new Error("you must provide a model parameter", InvalidRequest));

    public static Answer NoMessages { get; } =
        Of(
            400,
            new Error(
                "Missing required parameter: 'messages'.",
                InvalidRequest,
                "messages",
                "missing_required_parameter"
            )
        );

    public static Answer OnlyPost { get; } =
        Of(405, new Error("Only POST requests are accepted.", InvalidRequest, Code: "method_not_supported"));

    public static Answer WrongMethod(string method, string path) =>
        Of(
            405,
            new Error(
                $"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)",
                InvalidRequest
            )
        );

    public static Answer UnknownUrl(string method, string path) =>
        Of(404, new Error($"Invalid URL ({method} {path})", InvalidRequest));

    public static Answer WrongCommand(WrongCommandException wrong) =>
        Of(400, new Error(wrong.Message, InvalidRequest, wrong.Command, "wrong_command"));

    public static Answer NotFound(string message) => Of(404, new Error(message, InvalidRequest));

    /// <summary>The refusal of a wrong request.</summary>
    public static Answer Invalid(InvalidRequestException invalid) =>
        Of(400, new Error(invalid.Message, InvalidRequest, invalid.Field, invalid.Code));

    /// <summary>The body or the error that was commanded; null when there is none.</summary>
    public static Answer? Given(CommandSet commands, string model, bool isStream)
    {
        if (commands.Body is { } given)
        {
            var type = commands.ContentType ?? (isStream ? EventStream.ContentType : "application/json");
            return Answer.Of(commands.Status ?? 200, type, given);
        }

        return commands.Status is >= 300 and var status ? Commanded(status, model, commands) : null;
    }

    /// <summary>The body for a status that was commanded.</summary>
    public static Answer Commanded(int status, string model, CommandSet commands) =>
        commands.As is Provider.OpenAi
            ? Of(status, Commanded(Usual(status, model), commands))
            : ProviderErrors.Of(status, model, commands);

    /// <summary>The error as one line, for a stream that has begun.</summary>
    public static byte[] InStream(CommandSet commands) =>
        commands.As is Provider.OpenAi
            ? Write(Commanded(Usual(500, ""), commands), new JsonWriterOptions { Encoder = Encoder })
            : ProviderErrors.InStream(500, "", commands);

    private static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private static Error Commanded(Error error, CommandSet commands) =>
        error with
        {
            Message = commands.ErrorMessage ?? error.Message,
            Type = commands.ErrorType ?? error.Type,
            Code = commands.ErrorCode ?? error.Code,
        };

    private static Error Usual(int status, string model) =>
        status switch
        {
            401 => new Error(
                "Incorrect API key provided: fake. You can find your API key at "
                    + "https://platform.openai.com/account/api-keys.",
                InvalidRequest,
                Code: "invalid_api_key"
            ),
            404 => new Error(
                $"The model `{model}` does not exist or you do not have access to it.",
                InvalidRequest,
                Code: "model_not_found"
            ),
            429 => new Error(
                $"Rate limit reached for {model} in organization org-fake on requests per min (RPM): Limit 3, Used 3, "
                    + "Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to "
                    + "learn more.",
                "requests",
                Code: "rate_limit_exceeded"
            ),
            500 => new Error("The server had an error while processing your request. Sorry about that!", ServerError),
            503 => new Error("The engine is currently overloaded, please try again later", ServerError),
            _ => new Error(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ReasonPhrases.GetReasonPhrase(status)} (status {status}, on command)."
                ),
                status < 500 ? InvalidRequest : ServerError
            ),
        };

    private static Answer Of(int status, Error error)
    {
        var options = new JsonWriterOptions
        {
            Encoder = Encoder,
            Indented = true,
            IndentSize = 4,
            NewLine = "\n",
        };
        return Answer.Of(status, "application/json; charset=utf-8", [.. Write(error, options), (byte)'\n']);
    }

    private static byte[] Write(Error error, JsonWriterOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, options);
        writer.WriteStartObject();
        writer.WriteStartObject("error"u8);
        writer.WriteString("message"u8, error.Message);
        writer.WriteString("type"u8, error.Type);
        writer.WriteString("param"u8, error.Param);
        writer.WriteString("code"u8, error.Code);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private sealed record Error(string Message, string Type, string? Param = null, string? Code = null);
}
