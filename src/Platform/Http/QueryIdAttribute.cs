using Microsoft.OpenApi;

namespace Verbatim.Platform.Http;

/// <summary>A query parameter that is an id.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class QueryIdAttribute : QueryTextAttribute
{
    /// <inheritdoc/>
    public override bool IsValid(object? value) => value is null || Guid.TryParseExact(value as string, "D", out _);

    /// <inheritdoc/>
    public override string FormatErrorMessage(string name) =>
        "Give an id, such as 0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35.";

    /// <inheritdoc/>
    public override void Describe(OpenApiSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        schema.Type = JsonSchemaType.String;
        schema.Format = "uuid";
    }
}
