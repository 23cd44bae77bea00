using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Http.OpenApi;

/// <summary>Describes types: their comments, and what the schema exporter says too much or too little.</summary>
internal sealed class SchemaDescriber(XmlComments comments) : IOpenApiSchemaTransformer
{
    public Task TransformAsync(
        OpenApiSchema schema,
        OpenApiSchemaTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        var isComponent = NameOf(context.JsonTypeInfo) is not null;
        if (context.JsonPropertyInfo?.AttributeProvider is PropertyInfo property)
            Describe(schema, property, isComponent);
        if (isComponent && comments.Of(type) is { } summary)
            schema.Description = summary;

        if (type.IsEnum)
            schema.Type = JsonSchemaType.String;
        // An unknown field of a request is refused; an answer may have more fields tomorrow.
        if (!type.Name.EndsWith("Request", StringComparison.Ordinal))
            schema.AdditionalPropertiesAllowed = true;
        if (schema.MinLength == 0)
            schema.MinLength = null;
        return Task.CompletedTask;
    }

    private void Describe(OpenApiSchema schema, PropertyInfo property, bool isComponent)
    {
        if (comments.Of(property) is not { } text || property.IsDefined(typeof(DescriptionAttribute)))
            return;
        if (!isComponent)
            schema.Description = text;
        else
            // The property becomes a reference, and the framework moves this text to it.
            (schema.Metadata ??= new Dictionary<string, object>(StringComparer.Ordinal))["x-ref-description"] = text;
    }

    /// <summary>The name of a type's schema, or null where the schema says nothing that a name could stand for.</summary>
    public static string? NameOf(JsonTypeInfo type) =>
        (Nullable.GetUnderlyingType(type.Type) ?? type.Type) is var actual
        && (actual == typeof(JsonElement) || actual == typeof(JsonObject) || actual == typeof(RawJson))
            ? null
            : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
}
