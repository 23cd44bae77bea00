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
        return new AnthropicError(
            "error",
            new AnthropicErrorDetails(TypeOf(error.Status), error.Message),
            "0199d3a1c5a07f3e9f3e0d4b8a6c2e10"
        );
    }

    /// <inheritdoc/>
    public override void Write(IBufferWriter<byte> writer, WireError error, string requestId)
    {
        ArgumentNullException.ThrowIfNull(error);
        using var json = new Utf8JsonWriter(writer, WriterOptions);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, TypeOf(error.Status));
        json.WriteString("message"u8, error.Message);
        json.WriteEndObject();
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
        if (error.Code is "insufficient_quota" or "insufficient-quota")
            response.Headers["x-should-retry"] = "false";
    }

    private static string TypeOf(int status) =>
        status switch
        {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            503 or 529 => "overloaded_error",
            >= 500 => "api_error",
            _ => "invalid_request_error",
        };
}

// These two describe the wire in the OpenAPI document.

/// <summary>An error, as Anthropic's API answers it and its SDKs read it.</summary>
/// <param name="Type">Always <c>error</c>.</param>
/// <param name="Error">What went wrong.</param>
/// <param name="RequestId">The request's id.</param>
internal sealed record AnthropicError(
    string Type,
    AnthropicErrorDetails Error,
    [property: System.Text.Json.Serialization.JsonPropertyName("request_id")] string RequestId
);

/// <summary>What went wrong.</summary>
/// <param name="Type">The sort of error: <c>invalid_request_error</c>, <c>rate_limit_error</c>, <c>overloaded_error</c> …</param>
/// <param name="Message">A sentence or two for a person.</param>
internal sealed record AnthropicErrorDetails(string Type, string Message);
