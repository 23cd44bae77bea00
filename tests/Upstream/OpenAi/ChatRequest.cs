using System.Text.Json;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>The fields of a chat completion request that change the answer; everything else is accepted unread.</summary>
internal ref struct ChatRequest
{
    /// <summary>The JSON of the field <c>model</c>; empty when absent.</summary>
    public ReadOnlySpan<byte> Model { get; private set; }

    public bool HasMessages { get; private set; }
    public bool IsStream { get; private set; }
    public bool IncludeUsage { get; private set; }

    /// <summary>On unless the request says otherwise, as at OpenAI.</summary>
    public bool IncludeObfuscation { get; private set; }
    public bool IncludeLogprobs { get; private set; }
    public int Choices { get; private set; }

    /// <summary>The JSON of the field <c>tools</c>; empty when absent.</summary>
    public ReadOnlySpan<byte> Tools { get; private set; }

    /// <summary>The JSON of the field <c>x_upstream</c>; empty when absent.</summary>
    public ReadOnlySpan<byte> Commands { get; private set; }

    /// <summary>Reads a body.</summary>
    /// <exception cref="JsonException">The body is no JSON object.</exception>
    public static ChatRequest Read(ReadOnlySpan<byte> body)
    {
        var request = new ChatRequest { IncludeObfuscation = true, Choices = 1 };
        var reader = JsonScan.Begin(body);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            request.ReadProperty(ref reader, body);
        // Nothing may follow the object.
        reader.Read();
        return request;
    }

    /// <summary>The model's name, or null when it is absent, empty or no text.</summary>
    public readonly string? ModelName() => JsonScan.Text(Model);

    /// <summary>Adds all that the answer depends on.</summary>
    public readonly void AddTo(scoped ref CannedKey key)
    {
        key.Add(Model);
        key.Add(Commands);
        key.Add(IsStream);
        key.Add(IncludeUsage);
        key.Add(IncludeObfuscation);
        key.Add(IncludeLogprobs);
        key.Add((byte)Choices);
    }

    /// <summary>The names of the functions that the request offers.</summary>
    public readonly List<string> ToolNames()
    {
        var names = new List<string>();
        if (Tools.IsEmpty)
            return names;
        var reader = new Utf8JsonReader(Tools);
        using var tools = JsonDocument.ParseValue(ref reader);
        if (tools.RootElement.ValueKind is not JsonValueKind.Array)
            return names;
        foreach (var tool in tools.RootElement.EnumerateArray())
        {
            if (
                tool.ValueKind is JsonValueKind.Object
                && tool.TryGetProperty("function", out var function)
                && function.ValueKind is JsonValueKind.Object
                && function.TryGetProperty("name", out var name)
                && name.ValueKind is JsonValueKind.String
            )
            {
                names.Add(name.GetString()!);
            }
        }

        return names;
    }

    private void ReadProperty(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        if (reader.ValueTextEquals("model"u8))
        {
            Model = JsonScan.ReadRaw(ref reader, body);
        }
        else if (reader.ValueTextEquals("messages"u8))
        {
            reader.Read();
            HasMessages = reader.TokenType is JsonTokenType.StartArray;
            reader.Skip();
        }
        else if (reader.ValueTextEquals("stream"u8))
        {
            IsStream = JsonScan.ReadFlag(ref reader, IsStream);
        }
        else if (reader.ValueTextEquals("stream_options"u8))
        {
            ReadStreamOptions(ref reader);
        }
        else if (reader.ValueTextEquals("logprobs"u8))
        {
            IncludeLogprobs = JsonScan.ReadFlag(ref reader, IncludeLogprobs);
        }
        else if (reader.ValueTextEquals("n"u8))
        {
            reader.Read();
            if (reader.TokenType is JsonTokenType.Number && reader.TryGetInt32(out var choices))
                Choices = Math.Clamp(choices, 1, 128);
            reader.Skip();
        }
        else if (reader.ValueTextEquals("tools"u8))
        {
            Tools = JsonScan.ReadRaw(ref reader, body);
        }
        else if (reader.ValueTextEquals("x_upstream"u8))
        {
            Commands = JsonScan.ReadRaw(ref reader, body);
        }
        else
        {
            reader.Read();
            reader.Skip();
        }
    }

    private void ReadStreamOptions(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("include_usage"u8))
            {
                IncludeUsage = JsonScan.ReadFlag(ref reader, IncludeUsage);
            }
            else if (reader.ValueTextEquals("include_obfuscation"u8))
            {
                IncludeObfuscation = JsonScan.ReadFlag(ref reader, IncludeObfuscation);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
    }
}
