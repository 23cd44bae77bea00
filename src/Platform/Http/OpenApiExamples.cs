using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;

namespace Verbatim.Platform.Http;

/// <summary>Examples for the OpenAPI document.</summary>
public static class OpenApiExamples
{
    /// <summary>Shows what an answer of this status looks like.</summary>
    /// <param name="builder">The route.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="json">The body.</param>
    public static TBuilder WithResponseExample<TBuilder>(
        this TBuilder builder,
        int status,
        [StringSyntax(StringSyntaxAttribute.Json)] string json
    )
        where TBuilder : IEndpointConventionBuilder =>
        builder.AddOpenApiOperationTransformer(
            (operation, _, _) =>
            {
                var key = status.ToString(CultureInfo.InvariantCulture);
                if (
                    operation.Responses?.GetValueOrDefault(key)?.Content is { } content
                    && content.TryGetValue("application/json", out var body)
                )
                    body.Example = JsonNode.Parse(json);
                return Task.CompletedTask;
            }
        );
}
