using Microsoft.OpenApi;

namespace Verbatim.Platform.Http;

/// <summary>A query parameter that is one of a few words.</summary>
/// <param name="words">Those that are valid.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class QueryWordAttribute(params string[] words) : QueryTextAttribute
{
    /// <summary>Those that are valid.</summary>
    public IReadOnlyList<string> Words { get; } = words;

    /// <inheritdoc/>
    public override bool IsValid(object? value) =>
        value is null || (value is string word && Words.Contains(word, StringComparer.Ordinal));

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) => $"Give one of these: {string.Join(", ", Words)}.";

    /// <inheritdoc/>
    public override void Describe(OpenApiSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        schema.Type = JsonSchemaType.String;
        schema.Enum = [.. Words.Select(w => (System.Text.Json.Nodes.JsonNode)w)];
    }
}
