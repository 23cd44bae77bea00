using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>The arguments of tool calls, which the wire carries as a text that a model wrote and that need not be JSON.</summary>
internal static class ToolCallArguments
{
    /// <summary>As the contents are serialized elsewhere, without the white space that a model would be charged for.</summary>
    public static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions)
    {
        WriteIndented = false,
    };

    // What could not be read goes back to the model as it wrote it.
    private const string AsWritten = "arguments";

    /// <summary>A call; with <see cref="FunctionCallContent.Exception"/> when its arguments are no JSON object.</summary>
    public static FunctionCallContent Read(string id, string name, string arguments)
    {
        var call = FunctionCallContent.CreateFromParsedArguments(
            arguments,
            id,
            name,
            static text =>
                string.IsNullOrWhiteSpace(text)
                    ? new Dictionary<string, object?>(StringComparer.Ordinal)
                    : JsonSerializer.Deserialize<Dictionary<string, object?>>(text, AIJsonUtilities.DefaultOptions)!
        );
        if (call.Exception is not null || call.Arguments is null)
            (call.AdditionalProperties ??= [])[AsWritten] = arguments;
        return call;
    }

    /// <summary>The text for the wire.</summary>
    public static string Write(FunctionCallContent call) =>
        call.Arguments is { } arguments ? JsonSerializer.Serialize(arguments, Compact)
        : call.AdditionalProperties?.TryGetValue(AsWritten, out var written) is true && written?.ToString() is { } text
            ? text
        : "{}";
}
