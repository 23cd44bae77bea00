using System.Buffers;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>A call of a function that the simulator asks for.</summary>
/// <param name="Name">The function.</param>
/// <param name="Arguments">The arguments: JSON in UTF-8, made up to fit the function's parameters.</param>
internal sealed record SimulatorToolCall(string Name, byte[] Arguments)
{
    private static readonly byte[] NoArguments = [.. "{}"u8];

    /// <summary>
    /// The calls that a request asks for: by <c>tool_choice</c>, or by the model's name for as long as the conversation does not end with
    /// a tool's result (so that an agent comes to an end).
    /// </summary>
    public static SimulatorToolCall[] For(SimulatorRequest request)
    {
        var named = request.ToolResult is null ? request.Options.Tools : [];
        if (request.RequiredTool is null && named.Count == 0)
            return [];

        using var tools = request.Tools is { } slice
            ? JsonDocument.Parse(request.Chat.Body.Slice(slice.Start, slice.Length))
            : null;
        if (named.Count > 0)
            return [.. named.Select(name => Call(name, tools))];
        var name = request.RequiredTool is { Length: > 0 } required ? required : FirstName(tools);
        return name is null ? [] : [Call(name, tools)];
    }

    private static SimulatorToolCall Call(string name, JsonDocument? tools)
    {
        foreach (var function in Functions(tools))
        {
            if (NameOf(function) == name && function.TryGetProperty("parameters"u8, out var parameters))
                return new SimulatorToolCall(name, ArgumentsFor(parameters));
        }
        return new SimulatorToolCall(name, NoArguments);
    }

    private static string? FirstName(JsonDocument? tools) =>
        Functions(tools).Select(NameOf).FirstOrDefault(n => n is not null && SimulatorOptions.IsFunctionName(n));

    private static IEnumerable<JsonElement> Functions(JsonDocument? tools)
    {
        if (tools is null)
            yield break;
        foreach (var tool in tools.RootElement.EnumerateArray())
        {
            if (
                tool.ValueKind == JsonValueKind.Object
                && tool.TryGetProperty("function"u8, out var function)
                && function.ValueKind == JsonValueKind.Object
            )
                yield return function;
        }
    }

    private static string? NameOf(JsonElement function) =>
        function.TryGetProperty("name"u8, out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()
            : null;

    private static byte[] ArgumentsFor(JsonElement parameters)
    {
        if (
            parameters.ValueKind != JsonValueKind.Object
            || !parameters.TryGetProperty("properties"u8, out var properties)
            || properties.ValueKind != JsonValueKind.Object
        )
            return NoArguments;

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var property in properties.EnumerateObject())
            {
                writer.WritePropertyName(property.Name);
                WriteExample(writer, property.Value);
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteExample(Utf8JsonWriter writer, JsonElement schema)
    {
        if (
            schema.ValueKind == JsonValueKind.Object
            && schema.TryGetProperty("enum"u8, out var values)
            && values.ValueKind == JsonValueKind.Array
            && values.GetArrayLength() > 0
        )
        {
            values[0].WriteTo(writer);
            return;
        }
        switch (TypeOf(schema))
        {
            case "integer" or "number":
                writer.WriteNumberValue(1);
                break;
            case "boolean":
                writer.WriteBooleanValue(true);
                break;
            case "array":
                writer.WriteStartArray();
                writer.WriteEndArray();
                break;
            case "object":
                writer.WriteStartObject();
                writer.WriteEndObject();
                break;
            case "null":
                writer.WriteNullValue();
                break;
            default:
                writer.WriteStringValue("example"u8);
                break;
        }
    }

    // "type" may be a list: ["string", "null"].
    private static string? TypeOf(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("type"u8, out var type))
            return null;
        if (type.ValueKind == JsonValueKind.Array && type.GetArrayLength() > 0)
            type = type[0];
        return type.ValueKind == JsonValueKind.String ? type.GetString() : null;
    }
}
