using System.Text.Json;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>A value of a request with its path, read strictly; what is wrong is thrown in OpenAI's words and codes.</summary>
internal readonly record struct OpenAiCheck(string Path, JsonElement Json)
{
    public JsonValueKind Kind => Json.ValueKind;

    public bool IsText => Kind is JsonValueKind.String;

    public bool IsArray => Kind is JsonValueKind.Array;

    public bool IsObject => Kind is JsonValueKind.Object;

    /// <summary>A field that must be there.</summary>
    public OpenAiCheck Required(string name) => Optional(name) ?? throw Missing(Below(name));

    /// <summary>A field that may be absent or null.</summary>
    public OpenAiCheck? Optional(string name) =>
        Object().Json.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null
            ? new OpenAiCheck(Below(name), value)
            : null;

    public string Text() => IsText ? Json.GetString()! : throw WrongType("a string");

    public bool Flag() =>
        Kind is JsonValueKind.True or JsonValueKind.False ? Json.GetBoolean() : throw WrongType("a boolean");

    public OpenAiCheck Object() => IsObject ? this : throw WrongType("an object");

    public long Integer(long least)
    {
        if (Kind is not JsonValueKind.Number || !Json.TryGetInt64(out var value))
            throw WrongType("an integer");
        return value >= least
            ? value
            : throw Wrong(
                $"Invalid '{Path}': integer below minimum value. Expected a value >= {least}, but got {value} instead.",
                "integer_below_min_value"
            );
    }

    public double Number(double least, double most)
    {
        if (Kind is not JsonValueKind.Number)
            throw WrongType("a decimal");
        var value = Json.GetDouble();
        if (value < least)
        {
            throw Wrong(
                $"Invalid '{Path}': decimal below minimum value. Expected a value >= {least}, but got {value} instead.",
                "decimal_below_min_value"
            );
        }

        return value <= most
            ? value
            : throw Wrong(
                $"Invalid '{Path}': decimal above maximum value. Expected a value <= {most}, but got {value} instead.",
                "decimal_above_max_value"
            );
    }

    public IEnumerable<OpenAiCheck> Items()
    {
        if (!IsArray)
            throw WrongType("an array");
        var path = Path;
        return Json.EnumerateArray().Select((item, index) => new OpenAiCheck($"{path}[{index}]", item));
    }

    public string OneOf(params ReadOnlySpan<string> values)
    {
        var text = Text();
        if (values.Contains(text))
            return text;
        var quoted = new List<string>();
        foreach (var value in values)
            quoted.Add($"'{value}'");
        var list =
            quoted.Count is 1 ? quoted[0]
            : quoted.Count is 2 ? $"{quoted[0]} and {quoted[1]}"
            : $"{string.Join(", ", quoted[..^1])}, and {quoted[^1]}";
        throw Wrong($"Invalid value: '{text}'. Supported values are: {list}.", "invalid_value");
    }

    /// <summary>Refuses fields beside these.</summary>
    public void Only(params ReadOnlySpan<string> names)
    {
        foreach (var property in Object().Json.EnumerateObject())
        {
            if (!names.Contains(property.Name))
            {
                throw new InvalidRequestException($"Unknown parameter: '{Below(property.Name)}'.")
                {
                    Field = Below(property.Name),
                    Code = "unknown_parameter",
                };
            }
        }
    }

    public InvalidRequestException Wrong(string sentence, string? code = null) =>
        new(sentence) { Field = Path, Code = code };

    private static InvalidRequestException Missing(string path) =>
        new($"Missing required parameter: '{path}'.") { Field = path, Code = "missing_required_parameter" };

    private InvalidRequestException WrongType(string expected)
    {
        var found = Kind switch
        {
            JsonValueKind.String => "a string",
            JsonValueKind.Number => Json.TryGetInt64(out _) ? "an integer" : "a decimal",
            JsonValueKind.True or JsonValueKind.False => "a boolean",
            JsonValueKind.Array => "an array",
            JsonValueKind.Object => "an object",
            _ => "null",
        };
        return Wrong($"Invalid type for '{Path}': expected {expected}, but got {found} instead.", "invalid_type");
    }

    private string Below(string name) => Path.Length is 0 ? name : $"{Path}.{name}";
}
