using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>
/// Errors as OpenAI's clients read them: <c>{"error":{"message","type","param","code"}}</c>, all four always there, with real nulls.
/// </summary>
internal class OpenAiErrors : WireDialect
{
    /// <summary>The code and the type of a 429 that waiting does not cure: a budget is used up.</summary>
    public const string InsufficientQuota = "insufficient_quota";

    /// <summary>The dialect, as metadata of a route.</summary>
    public static readonly OpenAiErrors Dialect = new();

    /// <inheritdoc/>
    public override string Name => "OpenAi";

    /// <inheritdoc/>
    public override string Tag => "OpenAI";

    /// <inheritdoc/>
    public override PathString Prefix => "/v1";

    /// <inheritdoc/>
    public override WireError ModelNotFound(string model) =>
        // OpenAI does not tell either whether there is none, or none for this caller.
        new(404, $"The model `{model}` does not exist or you do not have access to it.", null, "model_not_found");

    /// <inheritdoc/>
    public override WireError From(HttpError error)
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
    public override object Describe(HttpError error)
    {
        var wire = From(error);
        return new OpenAiError(new OpenAiErrorDetails(wire.Message, wire.Type, wire.Param, wire.Code));
    }

    /// <inheritdoc/>
    public override void Write(IBufferWriter<byte> writer, WireError error, string requestId)
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
    public override void WriteEvent(IBufferWriter<byte> writer, WireError error, string requestId, int sequence)
    {
        writer.Write("data: "u8);
        Write(writer, error, requestId);
        writer.Write("\n\n"u8);
    }

    /// <inheritdoc/>
    protected override void AddHeaders(HttpResponse response, WireError error)
    {
        // OpenAI's clients retry every 429, and obey this header.
        if (error.Code == InsufficientQuota)
            response.Headers["x-should-retry"] = "false";
    }
}
