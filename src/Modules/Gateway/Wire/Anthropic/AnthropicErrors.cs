using System.Buffers;
using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>
/// Errors as Anthropic's clients read them: <c>{"type":"error","error":{"type","message"}}</c> (Claude API reference, "Errors").
/// </summary>
internal sealed class AnthropicErrors : IErrorDialect
{
    /// <summary>The dialect, as metadata of a route.</summary>
    public static readonly AnthropicErrors Dialect = new();

    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <inheritdoc/>
    public string Name => "Anthropic";

    /// <inheritdoc/>
    public string ContentType => MediaTypeNames.Application.Json;

    /// <inheritdoc/>
    public PathString Prefix => "/v1/messages";

    /// <summary>The word that this wire has for a status.</summary>
    public static string TypeOf(int status) =>
        status switch
        {
            400 => "invalid_request_error",
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            409 => "conflict_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            529 => "overloaded_error",
            < 500 => "invalid_request_error",
            _ => "api_error",
        };

    /// <inheritdoc/>
    public Task WriteAsync(HttpContext context, HttpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return WriteAsync(context, new WireError(error.Status, error.Message, null, error.Code));
    }

    /// <inheritdoc/>
    public object Describe(HttpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new AnthropicError("error", new AnthropicErrorDetails(TypeOf(error.Status), error.Message));
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
        // Anthropic's clients retry every 429, and obey this header.
        if (error.Code == OpenAi.OpenAiErrors.InsufficientQuota)
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

    /// <summary>Writes the error as a JSON object. This wire has no field for a parameter: its name goes before the message.</summary>
    public static void Write(IBufferWriter<byte> writer, WireError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var isNamed = error.Param is null || error.Message.Contains(error.Param, StringComparison.Ordinal);
        using var json = new Utf8JsonWriter(writer, WriterOptions);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, TypeOf(error.Status));
        json.WriteString("message"u8, isNamed ? error.Message : $"{error.Param}: {error.Message}");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Writes the error as an event of a stream that has begun. Anthropic's clients raise it as an exception.</summary>
    public static void WriteEvent(IBufferWriter<byte> writer, WireError error)
    {
        writer.Write("event: error\ndata: "u8);
        Write(writer, error);
        writer.Write("\n\n"u8);
    }
}
