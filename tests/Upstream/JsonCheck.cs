using System.Text.Json;

namespace Verbatim.Tests.Upstream;

/// <summary>
/// A value of a request with its path, read strictly. What is wrong is thrown in pydantic's words, in which Anthropic
/// answers: <c>messages.0.role: Field required</c>.
/// </summary>
internal readonly record struct JsonCheck(string Path, JsonElement Json)
{
    public JsonValueKind Kind => Json.ValueKind;

    public bool IsText => Kind is JsonValueKind.String;

    public bool IsArray => Kind is JsonValueKind.Array;

    public bool IsObject => Kind is JsonValueKind.Object;

    /// <summary>A field that must be there.</summary>
    public JsonCheck Required(string name) => Optional(name) ?? throw Wrong(name, "Field required");

    /// <summary>A field that may be absent or null.</summary>
    public JsonCheck? Optional(string name) =>
        Json.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null
            ? new JsonCheck(Below(name), value)
            : null;

    public string Text() => IsText ? Json.GetString()! : throw Wrong("Input should be a valid string");

    public bool Flag() =>
        Kind is JsonValueKind.True or JsonValueKind.False
            ? Json.GetBoolean()
            : throw Wrong("Input should be a valid boolean");

    public long Integer(long least)
    {
        if (Kind is not JsonValueKind.Number || !Json.TryGetInt64(out var value))
            throw Wrong("Input should be a valid integer");
        return value >= least ? value : throw Wrong($"Input should be greater than or equal to {least}");
    }

    public double Number(double least, double most)
    {
        if (Kind is not JsonValueKind.Number)
            throw Wrong("Input should be a valid number");
        var value = Json.GetDouble();
        return value >= least && value <= most
            ? value
            : throw Wrong(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"range: {least}..{most}"));
    }

    public IEnumerable<JsonCheck> Items()
    {
        if (!IsArray)
            throw Wrong("Input should be a valid list");
        var path = Path;
        return Json.EnumerateArray().Select((item, index) => new JsonCheck($"{path}.{index}", item));
    }

    public JsonCheck Object() =>
        IsObject ? this : throw Wrong("Input should be a valid dictionary or object to extract fields from");

    public string OneOf(params ReadOnlySpan<string> values)
    {
        var text = Text();
        foreach (var value in values)
        {
            if (string.Equals(text, value, StringComparison.Ordinal))
                return text;
        }

        throw Wrong($"Input should be {Listed(values, " or ")}");
    }

    /// <summary>The kind that the field <c>type</c> names.</summary>
    public string Tag(params ReadOnlySpan<string> tags)
    {
        var tag = Object().Required("type").Text();
        foreach (var known in tags)
        {
            if (string.Equals(tag, known, StringComparison.Ordinal))
                return tag;
        }

        throw Wrong(
            $"Input tag '{tag}' found using 'type' does not match any of the expected tags: {Listed(tags, ", ")}"
        );
    }

    /// <summary>Refuses fields beside these.</summary>
    public void Only(params ReadOnlySpan<string> names)
    {
        foreach (var property in Json.EnumerateObject())
        {
            if (!names.Contains(property.Name))
                throw Wrong(property.Name, "Extra inputs are not permitted");
        }
    }

    /// <summary>The same value, whose fields are reported under the name of its kind, as pydantic does for unions.</summary>
    public JsonCheck As(string tag) => this with { Path = Below(tag) };

    public InvalidRequestException Wrong(string sentence) =>
        new(Path.Length is 0 ? sentence : $"{Path}: {sentence}") { Field = Path };

    public InvalidRequestException Wrong(string name, string sentence) =>
        new($"{Below(name)}: {sentence}") { Field = Below(name) };

    private string Below(string name) => Path.Length is 0 ? name : $"{Path}.{name}";

    private static string Listed(ReadOnlySpan<string> values, string last)
    {
        var quoted = new List<string>();
        foreach (var value in values)
            quoted.Add($"'{value}'");
        return quoted.Count is 1 ? quoted[0] : string.Join(", ", quoted[..^1]) + last + quoted[^1];
    }
}
