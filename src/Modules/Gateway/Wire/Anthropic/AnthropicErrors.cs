using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>
/// Errors as Anthropic's clients read them: <c>{"type":"error","error":{"type","message"},"request_id"}</c>, the type following from the status
/// (Anthropic's API reference, "Errors").
/// </summary>
internal sealed class AnthropicErrors : WireDialect
{
    /// <summary>The dialect, as metadata of a route.</summary>
    public static readonly AnthropicErrors Dialect = new();

    /// <inheritdoc/>
    public override string Name => "Anthropic";

    /// <inheritdoc/>
    public override string RequestIdHeader => "request-id";

    /// <inheritdoc/>
    public override string Tag => "Anthropic";

    /// <inheritdoc/>
    public override PathString Prefix => "/v1/messages";

    /// <inheritdoc/>
    public override WireError ModelNotFound(string model) => new(404, $"model: {model}", "model", "model_not_found");

    /// <inheritdoc/>
    public override WireError From(HttpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new WireError(error.Status, error.Message, null, error.Code);
    }

    /// <inheritdoc/>
    public override object Describe(HttpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new AnthropicError("error", new AnthropicErrorDetails(TypeOf(error.Status), error.Message));
    }

    /// <inheritdoc/>
    public override void Write(IBufferWriter<byte> writer, WireError error, string requestId)
    {
        ArgumentNullException.ThrowIfNull(error);
        // This wire has no field for a parameter: its name goes before the message.
        var isNamed = error.Param is null || error.Message.Contains(error.Param, StringComparison.Ordinal);
        using var json = new Utf8JsonWriter(writer, WriterOptions);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, TypeOf(error.Status));
        json.WriteString("message"u8, isNamed ? error.Message : $"{error.Param}: {error.Message}");
        if (!error.Details.IsEmpty)
        {
            json.WritePropertyName("details"u8);
            json.WriteRawValue(error.Details.Span, skipInputValidation: true);
        }
        json.WriteEndObject();
        if (requestId.Length > 0)
            json.WriteString("request_id"u8, requestId);
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public override void WriteEvent(IBufferWriter<byte> writer, WireError error, string requestId, int sequence)
    {
        writer.Write("event: error\ndata: "u8);
        Write(writer, error, requestId);
        writer.Write("\n\n"u8);
    }

    /// <inheritdoc/>
    protected override void AddHeaders(HttpResponse response, WireError error)
    {
        // Anthropic's clients retry every 429, and obey this header: a budget that is used up is not cured by waiting.
        if (error.Code is OpenAi.OpenAiErrors.InsufficientQuota or "insufficient-quota")
            response.Headers["x-should-retry"] = "false";
    }

    /// <summary>The word that this wire has for a status.</summary>
    public static string TypeOf(int status) =>
        status switch
        {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            409 => "conflict_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            503 or 529 => "overloaded_error",
            >= 500 => "api_error",
            _ => "invalid_request_error",
        };
}
