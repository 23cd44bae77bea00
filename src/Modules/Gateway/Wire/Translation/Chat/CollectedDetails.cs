using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>
/// Puts the pieces of an answer's <c>reasoning_details</c> together, as its provider wants them back (OpenRouter's documentation, "Reasoning
/// tokens"): the texts of one element joined, its signature with them, what is encrypted as it came.
/// </summary>
internal sealed class CollectedDetails
{
    private readonly List<Element> _elements = [];
    private bool _isBroken;

    private sealed record Element(JsonObject Json, string? TextName)
    {
        public StringBuilder Text { get; } = new();
    }

    /// <summary>Something in it is of use to the provider alone, and must come back.</summary>
    public bool HasSeal { get; private set; }

    /// <summary>More of it. Never throws.</summary>
    /// <param name="details">A list of pieces.</param>
    /// <returns>The texts in it.</returns>
    public string Add(ReadOnlySpan<byte> details)
    {
        var said = new StringBuilder();
        try
        {
            foreach (var piece in (JsonNode.Parse(details) as JsonArray)?.OfType<JsonObject>() ?? [])
                Add(piece, said);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // Half a surrogate pair, or a name that is there twice: what cannot be given back as it was is not given back.
            _isBroken = true;
        }
        HasSeal &= !_isBroken;
        return said.ToString();
    }

    /// <summary>All of it as the inside of a JSON string.</summary>
    public byte[] ToEscaped()
    {
        var array = new JsonArray();
        foreach (var element in _elements)
        {
            var json = (JsonObject)element.Json.DeepClone();
            if (element.TextName is { } name && element.Text.Length > 0)
                json[name] = element.Text.ToString();
            array.Add((JsonNode)json);
        }
        return JsonEncodedText
            .Encode(JsonSerializer.SerializeToUtf8Bytes(array), JavaScriptEncoder.UnsafeRelaxedJsonEscaping)
            .EncodedUtf8Bytes.ToArray();
    }

    private void Add(JsonObject piece, StringBuilder said)
    {
        // Whatever is in it must be sound, or the whole of it could not be written again.
        _ = piece.ToJsonString();
        var type = TextOf(piece, "type");
        var textName = type switch
        {
            "reasoning.text" => "text",
            "reasoning.summary" => "summary",
            _ => null,
        };
        HasSeal |= TextOf(piece, "signature") is { Length: > 0 } || TextOf(piece, "data") is { Length: > 0 };
        var text = textName is null ? null : TextOf(piece, textName);
        said.Append(text);
        if (textName is null || !Continues(piece, type))
        {
            _elements.Add(new Element((JsonObject)piece.DeepClone(), textName));
        }
        else
        {
            foreach (var (name, value) in piece)
            {
                if (name != textName && value is not null)
                    _elements[^1].Json[name] = value.DeepClone();
            }
        }
        _elements[^1].Text.Append(text);
    }

    private bool Continues(JsonObject piece, string? type) =>
        _elements is [.., var last]
        && TextOf(last.Json, "type") == type
        && JsonNode.DeepEquals(last.Json["index"], piece["index"])
        && (TextOf(last.Json, "id") is not { } id || TextOf(piece, "id") is not { } other || id == other)
        // What is signed is whole.
        && TextOf(last.Json, "signature") is not { Length: > 0 };

    private static string? TextOf(JsonObject json, string name) =>
        json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
}
