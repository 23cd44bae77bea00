using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>
/// Finds what a request names by an id that means something at the provider only: a conversation, a stored prompt, an item said before, a vector store,
/// a container. A provider opens them to everybody who comes with the same credential.
/// </summary>
internal static class ProviderKept
{
    /// <summary>The first parameter that names such a thing; null when there is none.</summary>
    /// <param name="operation">What is asked for.</param>
    /// <param name="body">JSON.</param>
    public static string? FirstIn(Operation operation, ReadOnlySpan<byte> body)
    {
        if (operation is not (Operation.Responses or Operation.Messages))
            return null;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = WireRequest.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isNamed =
                JsonNames.Is(ref reader, "container"u8)
                || (
                    operation == Operation.Responses
                    && (JsonNames.Is(ref reader, "conversation"u8) || JsonNames.Is(ref reader, "prompt"u8))
                );
            if (isNamed)
            {
                var name = reader.GetString();
                reader.Read();
                if (reader.TokenType != JsonTokenType.Null)
                    return name;
            }
            else if (operation == Operation.Responses && JsonNames.Is(ref reader, "tools"u8))
            {
                reader.Read();
                if (FirstOfTools(ref reader) is { } parameter)
                    return parameter;
            }
            else if (operation == Operation.Responses && JsonNames.Is(ref reader, "input"u8))
            {
                reader.Read();
                if (HasReference(ref reader))
                    return "input";
            }
            else
            {
                reader.Skip();
            }
        }
        return null;
    }

    // Each tool is looked at by its own members: what is deeper describes arguments.
    private static string? FirstOfTools(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return null;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isStore = JsonNames.Is(ref reader, "vector_store_ids"u8);
                var isContainer = JsonNames.Is(ref reader, "container"u8);
                reader.Read();
                // A container that is described, instead of named, is a new one.
                if (isStore || (isContainer && reader.TokenType == JsonTokenType.String))
                    return isStore ? "tools.vector_store_ids" : "tools.container";
                reader.Skip();
            }
        }
        return null;
    }

    private static bool HasReference(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return false;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }
            var (hasId, hasContent, isReference) = (false, false, false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = JsonNames.Is(ref reader, "type"u8);
                hasId |= JsonNames.Is(ref reader, "id"u8);
                hasContent |= !isType && !JsonNames.Is(ref reader, "id"u8);
                reader.Read();
                isReference |=
                    isType && reader.TokenType == JsonTokenType.String && JsonNames.Is(ref reader, "item_reference"u8);
                reader.Skip();
            }
            // The type of a reference may be left out (OpenAI's API reference, "Item reference").
            if (isReference || (hasId && !hasContent))
                return true;
        }
        return false;
    }
}
