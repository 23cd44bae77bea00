using System.Buffers;
using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>
/// Errors as OpenAI's clients read them: <c>{"error":{"message","type","param","code"}}</c>, all four always there, with real nulls.
/// </summary>
internal sealed class OpenAiErrors : IErrorDialect
{
    /// <summary>The code and the type of a 429 that waiting does not cure: a budget is used up.</summary>
    public const string InsufficientQuota = "insufficient_quota";

    /// <summary>The dialect, as metadata of a route.</summary>
    public static readonly OpenAiErrors Dialect = new();

    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <inheritdoc/>
    public string Name => "OpenAi";

    /// <inheritdoc/>
    public string ContentType => MediaTypeNames.Application.Json;

    /// <inheritdoc/>
    public PathString Prefix => "/v1";

    /// <summary>A model that does not exist or that the caller may not use: OpenAI does not tell which either.</summary>
    public static WireError ModelNotFound(string model) =>
        new(404, $"The model `{model}` does not exist or you do not have access to it.", null, "model_not_found");

    /// <summary>What the server's own error is on this wire.</summary>
    public static WireError From(HttpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var code = error.Code switch
        {
            "unauthenticated" => "invalid_api_key",
            "forbidden" => "missing_scope",
            "route-not-found" => "unknown_url",
            "method-not-allowed" => "method_not_supported",
            "unsupported-media-type" => "unsupported_content_type",
            "malformed-json" or "malformed-request" or "internal-error" => null,
            // 'module.reason' becomes 'reason', in OpenAI's way of writing.
            var own => own[(own.LastIndexOf('.') + 1)..].Replace('-', '_'),
        };
        return new WireError(error.Status, error.Message, null, code);
    }

    /// <inheritdoc/>
    public Task WriteAsync(HttpContext context, HttpError error) => WriteAsync(context, From(error));

    /// <inheritdoc/>
    public object Describe(HttpError error)
    {
        var wire = From(error);
        return new OpenAiError(new OpenAiErrorDetails(wire.Message, wire.Type, wire.Param, wire.Code));
    }

    /// <summary>Answers with the error. The response has not started.</summary>
    public static async Task WriteAsync(HttpContext context, WireError error)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(error);
        var body = new ArrayBufferWriter<byte>(256);
        Write(body, error);

        var response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = "application/json";
        response.ContentLength = body.WrittenCount;
        // OpenAI's clients retry every 429, and obey this header.
        if (error.Code == InsufficientQuota)
            response.Headers["x-should-retry"] = "false";
        await response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Writes the error into a stream of events that has begun, and sends it off.</summary>
    public static async Task WriteInStreamAsync(HttpContext context, WireError error)
    {
        ArgumentNullException.ThrowIfNull(context);
        WriteEvent(context.Response.BodyWriter, error);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Writes the error as a JSON object.</summary>
    public static void Write(IBufferWriter<byte> writer, WireError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        using var json = new Utf8JsonWriter(writer, WriterOptions);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, error.Message);
        json.WriteString("type"u8, error.Type);
        json.WriteString("param"u8, error.Param);
        json.WriteString("code"u8, error.Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>
    /// Writes the error as an event of a stream that has begun. OpenAI's clients raise it as an exception, and look at nothing behind it.
    /// </summary>
    public static void WriteEvent(IBufferWriter<byte> writer, WireError error)
    {
        writer.Write("data: "u8);
        Write(writer, error);
        writer.Write("\n\n"u8);
    }
}
