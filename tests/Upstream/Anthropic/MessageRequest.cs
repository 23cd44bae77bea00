using System.Text.Json;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>The fields of a message request that change the answer.</summary>
internal ref struct MessageRequest
{
    /// <summary>The JSON of the field <c>model</c>; empty when absent.</summary>
    public ReadOnlySpan<byte> Model { get; private set; }

    /// <summary>The JSON of the field <c>x_upstream</c>; empty when absent.</summary>
    public ReadOnlySpan<byte> Commands { get; private set; }

    /// <summary>The JSON of the field <c>tools</c>; empty when absent.</summary>
    public ReadOnlySpan<byte> Tools { get; private set; }

    public bool IsStream { get; private set; }

    /// <summary>False when the request is certainly wrong, so that no kept answer may be given.</summary>
    public readonly bool LooksComplete => _hasMessages && _hasMaxTokens;

    private bool _hasMessages;
    private bool _hasMaxTokens;

    /// <summary>Reads a body.</summary>
    /// <exception cref="JsonException">The body is no JSON object.</exception>
    public static MessageRequest Read(ReadOnlySpan<byte> body)
    {
        var request = default(MessageRequest);
        var reader = JsonScan.Begin(body);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            request.ReadProperty(ref reader, body);
        // Nothing may follow the object.
        reader.Read();
        return request;
    }

    /// <summary>The names of the tools that the request offers.</summary>
    public readonly List<string> ToolNames()
    {
        if (Tools.IsEmpty)
            return [];
        var reader = new Utf8JsonReader(Tools);
        using var tools = JsonDocument.ParseValue(ref reader);
        return
        [
            .. tools
                .RootElement.EnumerateArray()
                .Select(static tool => tool.TryGetProperty("name", out var name) ? name.GetString() : null)
                .OfType<string>(),
        ];
    }

    private void ReadProperty(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        if (reader.ValueTextEquals("model"u8))
        {
            Model = JsonScan.ReadRaw(ref reader, body);
        }
        else if (reader.ValueTextEquals("x_upstream"u8))
        {
            Commands = JsonScan.ReadRaw(ref reader, body);
        }
        else if (reader.ValueTextEquals("tools"u8))
        {
            Tools = JsonScan.ReadRaw(ref reader, body);
        }
        else if (reader.ValueTextEquals("stream"u8))
        {
            IsStream = JsonScan.ReadFlag(ref reader, otherwise: false);
        }
        else if (reader.ValueTextEquals("messages"u8))
        {
            _hasMessages = JsonScan.ReadRaw(ref reader, body) is [(byte)'[', ..];
        }
        else if (reader.ValueTextEquals("max_tokens"u8))
        {
            _hasMaxTokens = JsonScan.ReadRaw(ref reader, body) is [>= (byte)'1' and <= (byte)'9', ..];
        }
        else
        {
            JsonScan.Skip(ref reader);
        }
    }
}
