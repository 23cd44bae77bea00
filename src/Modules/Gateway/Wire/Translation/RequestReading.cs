using System.Text.Json;
using System.Text.Unicode;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>
/// Reads a caller's body: keeps what it finds wrong with it (the first thing), and what of it no other wire has a word for.
/// </summary>
internal sealed class RequestReading(ReadOnlyMemory<byte> body) : IDisposable
{
    private readonly List<UnsupportedParameter> _unsupported = [];
    private JsonDocument? _document;

    /// <summary>What is wrong with the request itself.</summary>
    public WireError? Error { get; private set; }

    /// <summary>What the provider's wire has no word for.</summary>
    public List<UnsupportedParameter> Unsupported => _unsupported;

    /// <summary>Parses the body.</summary>
    /// <returns>False when it is not one JSON object in UTF-8; <see cref="Error"/> says it.</returns>
    public bool TryParse(out JsonElement root)
    {
        root = default;
        try
        {
            if (Utf8.IsValid(body.Span))
            {
                _document = JsonDocument.Parse(body);
                root = _document.RootElement;
                if (root.ValueKind == JsonValueKind.Object)
                    return true;
            }
        }
        catch (JsonException)
        {
            // Told below, as everything else that is no JSON object.
        }
        Error = new WireError(
            400,
            "We could not parse the JSON body of your request: it is not one JSON object in UTF-8.",
            null,
            null
        );
        return false;
    }

    /// <summary>Notes the first thing that is wrong with the request.</summary>
    public void WrongType(string path, string expected, JsonElement found) =>
        Error ??= new WireError(
            400,
            $"Invalid type for '{path}': expected {expected}, but got {Described(found.ValueKind)} instead.",
            path,
            "invalid_type"
        );

    /// <summary>Notes that something must be there and is not.</summary>
    public void Missing(string path) =>
        Error ??= new WireError(400, $"Missing required parameter: '{path}'.", path, "missing_required_parameter");

    /// <summary>Notes a value that the caller's own wire does not have.</summary>
    public void Invalid(string path, string why) =>
        Error ??= new WireError(400, $"Invalid value for '{path}': {why}.", path, "invalid_value");

    /// <summary>Notes what cannot be said on the provider's wire.</summary>
    public void CannotSay(string path, string reason) => _unsupported.Add(new UnsupportedParameter(path, reason));

    /// <summary>The bytes of a value.</summary>
    public ReadOnlyMemory<byte> Raw(JsonElement element)
    {
        var raw = System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(element);
        // The document reads the body itself, so that the value stands in it.
        return body.Span.Overlaps(raw, out var at) ? body.Slice(at, raw.Length) : raw.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => _document?.Dispose();

    private static string Described(JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => "a number",
            JsonValueKind.True or JsonValueKind.False => "a boolean",
            _ => "null",
        };
}
