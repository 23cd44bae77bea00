using System.Text.Json;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>A request for a response. Most of its fields come back in the answer.</summary>
internal sealed record ResponseRequest(JsonElement Json)
{
    public bool IsStream => Flag("stream", otherwise: false);

    public bool IsBackground => Flag("background", otherwise: false);

    /// <summary>Kept for later requests unless it says otherwise, as at OpenAI.</summary>
    public bool IsStored => Flag("store", otherwise: true);

    public bool IncludesEncryptedReasoning =>
        Value("include") is { ValueKind: JsonValueKind.Array } include
        && include
            .EnumerateArray()
            .Any(static item =>
                item.ValueKind is JsonValueKind.String && item.ValueEquals("reasoning.encrypted_content")
            );

    public bool IncludesObfuscation =>
        Value("stream_options") is not { ValueKind: JsonValueKind.Object } options
        || !options.TryGetProperty("include_obfuscation", out var include)
        || include.ValueKind is not JsonValueKind.False;

    public string? PreviousId =>
        Value("previous_response_id") is { ValueKind: JsonValueKind.String } id ? id.GetString() : null;

    /// <summary>The names of the functions that the request offers.</summary>
    public List<string> ToolNames() =>
        Value("tools") is { ValueKind: JsonValueKind.Array } tools
            ?
            [
                .. tools
                    .EnumerateArray()
                    .Select(static tool => tool.TryGetProperty("name", out var name) ? name.GetString() : null)
                    .OfType<string>(),
            ]
            : [];

    /// <summary>A field that is there and not null.</summary>
    public JsonElement? Value(string name) =>
        Json.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    /// <summary>Adds all of a body that the answer depends on: everything but the input.</summary>
    public static void AddTo(scoped ref CannedKey key, ReadOnlySpan<byte> body)
    {
        var reader = JsonScan.Begin(body);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("input"u8))
            {
                var input = JsonScan.ReadRaw(ref reader, body);
                key.Add(input[0]);
                continue;
            }

            key.Add(reader.ValueSpan);
            key.Add(JsonScan.ReadRaw(ref reader, body));
        }

        // Nothing may follow the object.
        reader.Read();
    }

    private bool Flag(string name, bool otherwise) =>
        Value(name)?.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => otherwise,
        };
}
